import { type Finding, matches, report, type SourceFile, trackedFiles } from './findings.ts';

const SHAPES = [
  /\b(?:it|test|describe|suite)(?:\s*\.\s*\w+)*\s*\.\s*(?:skip|only|todo|fails|skipIf|runIf)\b/g,
  /\b(?:xit|xtest|xdescribe|fit|fdescribe)\s*[(.]/g,
  /\b(?:skip|only|todo|fails)\s*:\s*true\b/g,
  /\b(?:ctx|context|task)\s*\.\s*skip\s*\(/g,
];

/** Finds tests that do not run, keep others from running, or are expected to fail. The budget for them is nought. */
export function findSkippedTests(file: SourceFile): Finding[] {
  return SHAPES.flatMap((shape) => matches(file, shape, 'skipped, focused or expected to fail'));
}

if (import.meta.main) report('check-skipped-tests', trackedFiles('tests/*.ts', '*.test.ts').flatMap(findSkippedTests));
