import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** One thing that a guard objects to. */
export interface Finding {
  file: string;
  /** From 1. */
  line: number;
  message: string;
}

/** What a guard looks at: a file's path from the project's root, and its text. */
export interface SourceFile {
  path: string;
  text: string;
}

/**
 * The files that git has or would take, as text; binary files (with a NUL byte) and files deleted in the working tree
 * are left out.
 */
export function trackedFiles(...patterns: string[]): SourceFile[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', ...patterns], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return [...new Set(listed.split('\0'))].filter(Boolean).flatMap((path) => {
    const text = readIfPresent(path);
    return text === undefined || text.includes('\0') ? [] : [{ path, text }];
  });
}

/** Every place in the file that the expression (with flag `g`) matches, by line. */
export function matches({ path, text }: SourceFile, expression: RegExp, message: string): Finding[] {
  return [...text.matchAll(expression)].map(({ index }) => ({ file: path, line: lineAt(text, index), message }));
}

/** The number, from 1, of the line in which a character stands. */
export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

/** Prints one line a finding; the process will end with 1 if there is any, else with 0. */
export function report(guard: string, findings: Finding[]): void {
  for (const { file, line, message } of findings) console.error(`${file}:${line}: ${message}`);
  if (findings.length === 0) console.log(`${guard}: nothing found`);
  else process.exitCode = 1;
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
