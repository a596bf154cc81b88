import { type Finding, matches, report, type SourceFile, trackedFiles } from './findings.ts';

/** Names of what somebody could guess character by character, if comparing it took as long as it fits. */
const SECRET = String.raw`[\w.]*?(?:secret|signature|hmac|mac|nonce|password|credential|clientState|apiKey)`;

/** What is compared with nothing, a literal or a kind is no guess. */
const NO_GUESS = String.raw`(?:null\b|undefined\b|true\b|false\b|'|"|\x60|\d|typeof\b)`;

const SHAPES = [
  new RegExp(String.raw`(?<![\w.])${SECRET}\b(?:\([^()]*\))?\s*[!=]={1,2}(?![\s=]*${NO_GUESS})`, 'gi'),
  new RegExp(
    String.raw`(?<![=!])(?<!(?:\b(?:null|undefined|true|false)|['"\x60\d])\s*)[!=]={1,2}\s*${SECRET}\b(?!\.length\b)`,
    'gi',
  ),
];

/** Finds secrets that are compared by an operator, whose time tells where two differ: `isSameSecret` does not. */
export function findComparedSecrets(file: SourceFile): Finding[] {
  return SHAPES.flatMap((shape) => matches(file, shape, 'a secret compared by an operator: use isSameSecret'));
}

if (import.meta.main) report('check-comparisons', trackedFiles('src/*.ts').flatMap(findComparedSecrets));
