/** The least that can stand between a player and Microsoft: one request piped into one answer. For comparison. */
import { createServer, request } from 'node:http';

const [target = ''] = process.argv.slice(2);
const server = createServer((incoming, outgoing) => {
  const upstream = request(target, { headers: { authorization: incoming.headers.authorization ?? '' } }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  upstream.on('error', () => outgoing.destroy());
  outgoing.on('close', () => upstream.destroy());
  upstream.end();
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.send?.({ url: `http://127.0.0.1:${address.port}/` });
});
process.once('disconnect', () => process.exit(0));
