// Runs the PSA core subgraph and the gateway until interrupted.
//   AUTH_JWKS_URL or AUTH_JWKS_FILE, AUTH_ISSUER, AUTH_AUDIENCE   how bearer tokens are verified
//   TEAMS_SUBGRAPH_URL   default http://127.0.0.1:4001/graphql
//   GATEWAY_SECRET   what the Teams subgraph wants to be shown, if it has GATEWAY_SECRETS
//   GATEWAY_PORT (4000), PSA_CORE_PORT (4002), HOST (127.0.0.1)
import { z } from 'zod';
import type { AuthOptions } from './psa-core/viewer.ts';
import { startSupergraph } from './start-supergraph.ts';

const port = z.coerce.number().int().min(0).max(65_535);
const environment = z
  .object({
    AUTH_JWKS_URL: z.url().optional(),
    AUTH_JWKS_FILE: z.string().min(1).optional(),
    AUTH_ISSUER: z.string().min(1),
    AUTH_AUDIENCE: z.string().min(1),
    TEAMS_SUBGRAPH_URL: z.url().default('http://127.0.0.1:4001/graphql'),
    GATEWAY_SECRET: z.string().min(1).optional(),
    GATEWAY_PORT: port.default(4000),
    PSA_CORE_PORT: port.default(4002),
    HOST: z.string().min(1).default('127.0.0.1'),
  })
  .transform((env, context) => {
    const { AUTH_JWKS_URL: jwksUrl, AUTH_JWKS_FILE: jwksFile, AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience } = env;
    let auth: AuthOptions | undefined;
    if (jwksUrl !== undefined && jwksFile === undefined) auth = { issuer, audience, jwksUrl };
    if (jwksFile !== undefined && jwksUrl === undefined) auth = { issuer, audience, jwksFile };
    if (auth) return { ...env, auth };
    context.addIssue({ code: 'custom', path: ['AUTH_JWKS_URL'], message: 'set this or AUTH_JWKS_FILE, one of them' });
    return z.NEVER;
  });

const stop = new AbortController();
const onStop = (): void => stop.abort();
process.once('SIGTERM', onStop);
process.once('SIGINT', onStop);
process.once('disconnect', onStop);

try {
  await run();
} catch (error) {
  if (!stop.signal.aborted) {
    console.error(`supergraph: ${describe(error)}`);
    process.exitCode = 1;
  }
}
// The channel to the parent would keep this process alive.
if (process.connected) process.disconnect();

async function run(): Promise<void> {
  const parsed = environment.safeParse(process.env);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new Error(`the environment is not usable: ${problems.join('; ')}`);
  }
  const env = parsed.data;
  const supergraph = await startSupergraph({
    subgraphUrl: env.TEAMS_SUBGRAPH_URL,
    gatewaySecret: env.GATEWAY_SECRET,
    hostname: env.HOST,
    ports: { gateway: env.GATEWAY_PORT, psaCore: env.PSA_CORE_PORT },
    auth: env.auth,
    signal: stop.signal,
  });
  console.log(`PSA core  ${supergraph.psaCoreUrl}`);
  console.log(`gateway   ${supergraph.gatewayUrl}`);
  process.send?.({ type: 'ready', gatewayUrl: supergraph.gatewayUrl, psaCoreUrl: supergraph.psaCoreUrl });
  if (!stop.signal.aborted) await new Promise((resolve) => stop.signal.addEventListener('abort', resolve));
  await supergraph.close();
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, port: taken, address } = error as NodeJS.ErrnoException & { port?: number; address?: string };
  if (code === 'EADDRINUSE') return `port ${taken} of ${address} is taken; set GATEWAY_PORT or PSA_CORE_PORT.`;
  return error.message;
}
