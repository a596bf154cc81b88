// Compares schema.graphql with what was last published. With --publish, publishes it when nothing breaks.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildASTSchema, parse, visit } from 'graphql';
import { type Finding, lineAt, report, type SourceFile } from './findings.ts';

const CURRENT = 'schema.graphql';
const PUBLISHED = 'tests/contract/published.graphql';

/** Finds changes that can break an operation which was valid against the published schema. */
export async function findBreakingChanges(published: SourceFile, current: SourceFile): Promise<Finding[]> {
  const [before, after] = [published, current].map(({ text }) => buildASTSchema(parse(text), { assumeValidSDL: true }));
  if (!before || !after) return [];
  const changes = await diff(before, after);
  return changes
    .filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking)
    .map(({ path = '', message }) => ({ ...locate(path, [current, published]), message }));
}

/** The first of the files that has the element, or the nearest one above it. */
function locate(path: string, files: SourceFile[]): { file: string; line: number } {
  const names = path.split('.');
  for (let length = names.length; length > 0; length -= 1) {
    const wanted = names.slice(0, length).join('.');
    for (const file of files) {
      const line = linesByPath(file.text).get(wanted);
      if (line !== undefined) return { file: file.path, line };
    }
  }
  return { file: CURRENT, line: 1 };
}

/** Line of every named element, by its names from the type inwards, e.g. `Query.teamsMeeting.id`. */
function linesByPath(text: string): Map<string, number> {
  const lines = new Map<string, number>();
  const names: string[] = [];
  visit(parse(text), {
    enter(node) {
      if (!node.kind.endsWith('Definition') || !('name' in node) || node.name?.kind !== 'Name') return;
      names.push(node.name.value);
      lines.set(names.join('.'), lineAt(text, node.name.loc?.start ?? 0));
    },
    leave(node) {
      if (node.kind.endsWith('Definition') && 'name' in node && node.name?.kind === 'Name') names.pop();
    },
  });
  return lines;
}

if (import.meta.main) {
  const current = readFileSync(CURRENT, 'utf8');
  const isPublishing = process.argv.includes('--publish');
  let findings: Finding[] = [{ file: PUBLISHED, line: 1, message: 'nothing was published yet; run with --publish' }];
  if (existsSync(PUBLISHED)) {
    const published = { path: PUBLISHED, text: readFileSync(PUBLISHED, 'utf8') };
    findings = await findBreakingChanges(published, { path: CURRENT, text: current });
  } else if (isPublishing) {
    findings = [];
  }
  report('check-schema-compat', findings);
  if (isPublishing && findings.length === 0) writeFileSync(PUBLISHED, current);
}
