import type { IncomingMessage } from 'node:http';
import { type Authenticate, createAuthenticator } from '../../src/server/authenticator.ts';
import type { Viewer } from '../../src/services/viewer.ts';
import { AUDIENCE, ISSUER } from '../../tests/support/tokens.ts';

/** What a peer's process is told. */
export interface PeerEnvironment {
  databaseUrl: string;
  poolSize: number;
  authenticate: Authenticate;
}

/** Reads what the run tells a peer. Its token check is the subgraph's own. */
export async function peerEnvironment(): Promise<PeerEnvironment> {
  const [databaseUrl = '', jwksFile = ''] = process.argv.slice(2);
  const auth = { jwks: { file: jwksFile }, issuer: ISSUER, audience: AUDIENCE };
  return { databaseUrl, poolSize: 10, authenticate: await createAuthenticator(auth, () => new Date()) };
}

/** @throws Error where nobody, or somebody without the permissions of the workloads, asks */
export async function viewerOf(authenticate: Authenticate, authorization: string | undefined): Promise<Viewer> {
  const viewer = await authenticate(authorization);
  if (viewer === null) throw new Error('UNAUTHENTICATED');
  if (!viewer.permissions.has('teams_meeting:read') || !viewer.permissions.has('teams_artifact:read'))
    throw new Error('FORBIDDEN');
  return viewer;
}

/** What a request asks for; its one variable is the list of entities, whatever its name. */
export async function bodyOf(
  request: IncomingMessage,
): Promise<{ query: string; variables: Record<string, { id: string }[]> }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

/** Tells the run where the peer listens; it ends with the run. */
export function tellReady(url: string): void {
  process.on('disconnect', () => process.exit(0));
  process.send?.({ type: 'ready', url });
}
