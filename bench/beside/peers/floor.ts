/** The floor: node's own http server and one prepared statement that gives the whole answer. */
import { createServer } from 'node:http';
import pg from 'pg';
import { bodyOf, peerEnvironment, tellReady, viewerOf } from '../peer.ts';
import { BOARD_ANSWER, PHONE_ANSWER } from '../sql.ts';

const { databaseUrl, poolSize, authenticate } = await peerEnvironment();
const pool = new pg.Pool({ connectionString: databaseUrl, max: poolSize });

const server = createServer(async (request, response) => {
  try {
    const { tenantId } = await viewerOf(authenticate, request.headers.authorization);
    const { query, variables } = await bodyOf(request);
    const isPhone = query.startsWith('query Phone');
    const { rows } = await pool.query<{ answer: string }>({
      name: isPhone ? 'phone' : 'board',
      text: isPhone ? PHONE_ANSWER : BOARD_ANSWER,
      values: [tenantId, variables.r.map(({ id }) => id)],
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
