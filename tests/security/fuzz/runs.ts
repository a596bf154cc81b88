import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc, { type IAsyncProperty, type IProperty } from 'fast-check';
import { expect } from 'vitest';

/** The parts of the whole that each surface gets; together they are 1. */
const SHARES = { variables: 0.3, tokens: 0.15, links: 0.15, psa: 0.1, notifications: 0.1, captions: 0.2 } as const;

/** All of them by `npm run attack`; a third where other tests want to be done as well. */
const RUNS = Number(process.env.FUZZ_RUNS ?? (process.env.npm_lifecycle_event === 'attack' ? 10_000 : 3_000));
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_201);

/** Runs a property as often as its surface's share says. The seed is told, so that a failure can be had again. */
export async function fuzz<T>(surface: keyof typeof SHARES, property: IProperty<T> | IAsyncProperty<T>): Promise<void> {
  const numRuns = Math.ceil(RUNS * SHARES[surface]);
  console.log(`fuzz ${surface}: ${numRuns} cases, FUZZ_SEED=${SEED}`);
  await fc.assert(property, { seed: SEED, numRuns });
}

/** What lives on the heap, in bytes, once nothing is left that nobody needs. */
function heapInUse(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

/** Fails when the work leaves more than 64 MiB behind: some thousands of cases must not add up. */
export async function withBoundedMemory(work: () => Promise<void>): Promise<void> {
  const before = heapInUse();
  await work();
  expect(heapInUse() - before).toBeLessThan(64 * 1_048_576);
}

/** Texts that have been too much for somebody. */
const HOSTILE = [
  ...[
    '',
    ' ',
    '\0',
    '\ud800',
    '\udfff',
    '\r\n',
    '\u2028',
    '\u202e',
    '\ufeff',
    '%00',
    '%',
    '_',
    '*',
    "'",
    '"',
    '`',
    '$(x)',
    '{{x}}',
    '$' + '{x}',
  ],
  ...[
    "' OR 1=1 --",
    '"; DROP TABLE x; --',
    '<script>',
    '-->',
    '../../x',
    '__proto__',
    'constructor',
    'toString',
    'null',
    'NaN',
    '-0',
    '1e999',
  ],
  ...[
    '2036-12-01T10:00:00Z',
    '0000-00-00T00:00:00Z',
    'a@b.example',
    'Europe/Berlin',
    '9'.repeat(400),
    'x'.repeat(5_000),
    '😀'.repeat(100),
  ],
];

export const text = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary', maxLength: 40 }), fc.string());

/** Any JSON, with hostile texts in it and for its names. */
export const json: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    text,
    fc.constantFrom(null, true, false, 0, -1, 1e308, 2 ** 53, 0.1),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(text, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;
