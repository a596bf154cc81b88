import { SimulatorControl } from '../../simulator/control.ts';
import { startChild } from './child.ts';

/** The simulator of Microsoft in a process of its own, with the demo's world. */
export interface SimulatedMicrosoft {
  url: string;
  control: SimulatorControl;
  stop(): Promise<void>;
}

export async function startMicrosoft(): Promise<SimulatedMicrosoft> {
  const { url, stop } = await startChild('simulator/main.ts', { env: { PORT: '0' } });
  return { url, control: new SimulatorControl(url), stop };
}
