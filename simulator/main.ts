import { demoWorld } from './seed.ts';
import { startSimulator } from './server.ts';

const DEFAULT_PORT = 4010;

/** Runs the simulator with the demo's world until it is told to stop, or until the parent process goes away. */
async function main(): Promise<void> {
  const host = process.env.HOST ?? '127.0.0.1';
  const port = Number(process.env.PORT ?? DEFAULT_PORT);
  const simulator = await startSimulator({ host, port }).catch((error: NodeJS.ErrnoException) => {
    console.error(
      error.code === 'EADDRINUSE'
        ? `simulator: port ${port} on ${host} is taken; set PORT to another one`
        : `simulator: ${error.message}`,
    );
    process.exit(1);
  });
  await simulator.control.load(demoWorld());

  const stop = () => {
    void simulator.close().then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.once('disconnect', stop);

  console.log(`simulator listening on ${simulator.url}`);
  process.send?.({ type: 'ready', url: simulator.url });
}

await main();
