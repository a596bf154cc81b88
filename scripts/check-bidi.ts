import { type Finding, matches, report, type SourceFile, trackedFiles } from './findings.ts';

// The bidirectional controls of "Trojan Source" (CVE-2021-42574): embeddings, overrides, isolates and their ends.
const BIDI_CONTROL = /[\u202A-\u202E\u2066-\u2069]/g;

/** Finds bidirectional control characters, which make code read otherwise than it runs. */
export function findBidiControls(file: SourceFile): Finding[] {
  return matches(file, BIDI_CONTROL, 'bidirectional control character');
}

if (import.meta.main) report('check-bidi', trackedFiles().flatMap(findBidiControls));
