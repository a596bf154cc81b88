import type { FaultInput, SimulatorControl } from '../../simulator/control.ts';

const ANY = { path: '/v1.0/users/' };
const WRITES = '/events';

/** Everything that Microsoft does wrong while the chaos lasts, each with its chance per call. */
const FAULTS: (FaultInput & { probability: number })[] = [
  { match: ANY, probability: 0.04, status: 429, headers: { 'retry-after': '1' } },
  { match: ANY, probability: 0.02, status: 429, headers: {} },
  { match: ANY, probability: 0.03, status: 500 },
  { match: ANY, probability: 0.03, status: 503 },
  { match: { path: WRITES }, probability: 0.05, status: 504, body: null, after: true },
  { match: { path: WRITES }, probability: 0.03, cut: 'before' },
  { match: { path: WRITES }, probability: 0.04, cut: 'after' },
  { match: { path: WRITES }, probability: 0.015, delayMs: 20_000 },
  { match: ANY, probability: 0.02, status: 401 },
  { match: { path: '/oauth2/' }, probability: 0.05, status: 503 },
];

export async function armFaults(simulator: SimulatorControl, seed: number): Promise<void> {
  await simulator.seedFaults({ seed });
  for (const fault of FAULTS) await simulator.addFault({ ...fault, times: null });
}
