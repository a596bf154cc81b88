import { type Finding, report, type SourceFile, trackedFiles } from './findings.ts';

const WALL = 400;

/** Finds hand-written files of more than 400 lines. */
export function findLongFiles({ path, text }: SourceFile): Finding[] {
  if (path.startsWith('src/generated/')) return [];
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  return lines > WALL ? [{ file: path, line: WALL + 1, message: `${lines} lines, more than ${WALL}` }] : [];
}

if (import.meta.main) report('check-file-length', trackedFiles('*.ts', '*.js', '*.cjs').flatMap(findLongFiles));
