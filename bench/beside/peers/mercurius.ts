/** Mercurius as a federation service, compiled (JIT), with its own loaders over hand-written statements. */
import { mercuriusFederationPlugin } from '@mercuriusjs/federation';
import Fastify, { type FastifyRequest } from 'fastify';
import pg from 'pg';
import { peerEnvironment, tellReady, viewerOf } from '../peer.ts';
import { SDL } from '../sdl.ts';
import { ATTENDEES, MEETINGS, RECORDINGS, TRANSCRIPTS } from '../sql.ts';

const { databaseUrl, poolSize, authenticate } = await peerEnvironment();
const pool = new pg.Pool({ connectionString: databaseUrl, max: poolSize });
const app = Fastify();

type Row = Record<string, unknown>;
type Queries = { obj: { id: string } }[];
interface Context {
  tenantId: string;
}
declare module 'mercurius' {
  interface MercuriusContext extends Context {}
}

async function rowsOf(name: string, text: string, tenantId: string, ids: string[]): Promise<Row[]> {
  return (await pool.query<Row>({ name, text, values: [tenantId, ids] })).rows;
}

const listsOf =
  (name: string, text: string) =>
  async (queries: Queries, { tenantId }: Context) => {
    const ids = queries.map(({ obj }) => obj.id);
    const groups = Map.groupBy(await rowsOf(name, text, tenantId, ids), (row) => row.meetingId);
    return ids.map((id) => groups.get(id) ?? []);
  };

await app.register(mercuriusFederationPlugin, {
  schema: SDL,
  jit: 1,
  context: async (request: FastifyRequest) => ({
    tenantId: (await viewerOf(authenticate, request.headers.authorization)).tenantId,
  }),
  resolvers: { Appointment: { __resolveReference: ({ id }: { id: string }) => ({ id }) }, Query: { ok: () => true } },
  loaders: {
    Appointment: {
      async teamsMeeting(queries: Queries, { tenantId }: Context) {
        const ids = queries.map(({ obj }) => obj.id);
        const rows = await rowsOf('meetings', MEETINGS, tenantId, ids);
        const found = new Map(rows.map((row) => [row.appointmentId, row]));
        return ids.map((id) => found.get(id) ?? null);
      },
    },
    TeamsMeeting: {
      attendees: listsOf('attendees', ATTENDEES),
      recordings: listsOf('recordings', RECORDINGS),
      transcripts: listsOf('transcripts', TRANSCRIPTS),
    },
  },
});
tellReady(`${await app.listen({ host: '127.0.0.1', port: 0 })}/graphql`);
