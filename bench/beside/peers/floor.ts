/** The floor: node's own http server and one prepared statement that gives the whole answer, to a gateway as well. */
import { createServer } from 'node:http';
import pg from 'pg';
import { bodyOf, peerEnvironment, tellReady, viewerOf } from '../peer.ts';
import { BOARD_ANSWER, BOARD_ANSWER_TO_GATEWAY, PHONE_ANSWER } from '../sql.ts';

const ANSWERS = { phone: PHONE_ANSWER, board: BOARD_ANSWER, gateway: BOARD_ANSWER_TO_GATEWAY };

const { databaseUrl, poolSize, authenticate } = await peerEnvironment();
const pool = new pg.Pool({ connectionString: databaseUrl, max: poolSize });

const server = createServer(async (request, response) => {
  try {
    const { tenantId } = await viewerOf(authenticate, request.headers.authorization);
    const { query, variables } = await bodyOf(request);
    const name = query.startsWith('query Phone') ? 'phone' : query.includes('__typename') ? 'gateway' : 'board';
    const { rows } = await pool.query<{ answer: string }>({
      name,
      text: ANSWERS[name],
      values: [tenantId, (Object.values(variables)[0] ?? []).map(({ id }) => id)],
    });
    const body = rows[0]?.answer ?? '';
    response.writeHead(200, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  tellReady(`http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}/`);
});
