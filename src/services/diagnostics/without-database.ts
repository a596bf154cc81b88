import type { Scope, ServiceTools } from '../scope.ts';
import { fail, skip } from './finding.ts';
import type { Look, Subject } from './look.ts';
import type { DiagnosticsStep } from './report.ts';
import { runLooks } from './run-looks.ts';

const NAME = 'database';
const TITLE = 'Database';

const UNREADABLE = fail(
  'What is stored of this tenant could not be read, and this report is not stored.',
  'Look at the database and its connections, and run the diagnosis again. The server’s log of this time says why.',
);
const UNSTORED = fail(
  'The report could not be stored.',
  'Make sure that the database has free space and takes writes. The server’s log of this time says why.',
);

/** A look that asks for nothing stored still has the best words for what is wrong with the database. */
const isOfDatabase = ({ name }: Pick<Look, 'name'>) => name === NAME;

/**
 * The steps where not even the settings can be read: the database is looked at and is red, the others are skipped.
 * @param onStep told of each step
 */
export async function lookWithoutSettings(
  looks: readonly Look[],
  scope: Scope,
  tools: ServiceTools,
  onStep: (step: DiagnosticsStep) => void,
): Promise<DiagnosticsStep[]> {
  const nothing: Subject = {
    scope,
    settings: null,
    app: null,
    graph: null,
    grantedRoles: () => Promise.reject(new Error('There is no client')),
  };
  const [found] = await runLooks(looks.filter(isOfDatabase), nothing, tools, () => undefined);
  const database = reddened(found, UNREADABLE);
  const steps = looks.flatMap((look): DiagnosticsStep[] =>
    isOfDatabase(look)
      ? []
      : [
          {
            ...skip('Not looked at, because what is stored of this tenant could not be read.'),
            name: look.name,
            title: look.title,
            durationMs: 0,
          },
        ],
  );
  const all = [...steps, database];
  for (const step of all) onStep(step);
  return all;
}

/** The steps of a report that could not be stored: what was found, and a red step of the database. */
export function withoutStore(steps: readonly DiagnosticsStep[]): { steps: DiagnosticsStep[]; failed: DiagnosticsStep } {
  const failed = reddened(steps.find(isOfDatabase), UNSTORED);
  return { steps: [...steps.filter((step) => !isOfDatabase(step)), failed], failed };
}

/** A database that is red already keeps its own remedy, which is nearer to the cause. */
function reddened(found: DiagnosticsStep | undefined, { status, detail, remedy }: typeof UNSTORED): DiagnosticsStep {
  if (found === undefined) return { name: NAME, title: TITLE, status, detail, remedy, durationMs: 0 };
  const isRed = found.status === 'FAIL';
  return { ...found, status, detail: `${found.detail} ${detail}`, remedy: isRed ? found.remedy : remedy };
}
