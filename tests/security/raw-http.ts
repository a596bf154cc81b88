import { connect } from 'node:net';

/** Sends bytes as they are, and gives back all that is answered until the other side ends. */
export function sendRaw(url: string, ...chunks: string[]): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => {
      for (const chunk of chunks) socket.write(chunk);
    });
    socket.setEncoding('latin1').on('data', (text) => {
      answer += text;
    });
    // Who is thrown out while still sending sees a reset.
    socket.on('error', () => undefined).on('close', () => resolve(answer));
  });
}

/** Asks for a path as it is written: fetch would resolve `..` and escape the rest. */
export function askRaw(url: string, path: string, headers: readonly string[] = []): Promise<string> {
  return sendRaw(url, [`GET ${path} HTTP/1.1`, 'host: x', 'connection: close', ...headers, '', ''].join('\r\n'));
}

/** The status of the first answer; 0 when there is none. */
export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
}
