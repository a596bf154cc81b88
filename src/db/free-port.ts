import { createServer } from 'node:net';

/**
 * A port of this machine's own address that nobody listened on a moment ago, for what has to be told its address before
 * it listens.
 *
 * @throws Error when the system gives none
 */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No free TCP port was found on 127.0.0.1');
  return address.port;
}
