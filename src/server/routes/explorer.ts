import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { ConfigError } from '../../config.ts';
import { pageHeaders } from '../pages/page-headers.ts';

/** Made by scripts/bundle-explorer.ts; the same place seen from src and from dist. */
const BUNDLE = new URL('../../../explorer/dist/', import.meta.url);

/**
 * Scripts, workers and requests come from our own origin alone. Styles are the exception: the editor writes `<style>`
 * elements and `style` attributes as it lays out text, and has no way to be given a nonce for them. Its fonts and
 * icons are `data:` in its style sheet.
 */
const HEADERS = pageHeaders({
  'script-src': "'self'",
  'style-src': "'self' 'unsafe-inline'",
  'img-src': "'self' data:",
  'font-src': "'self' data:",
  'connect-src': "'self'",
  'worker-src': "'self'",
  'form-action': "'self'",
});

/** What the explorer gets besides in the world of `npm start`. */
export interface DevelopmentHelp {
  /** The roles that tokens are handed out for. */
  roles: readonly string[];
  /** A token of one of the roles; null for any other. */
  tokenFor(role: string): Promise<string | null>;
  /** What the explorer sends with every operation besides the token. */
  headers?: Readonly<Record<string, string>>;
  /** What the variables of the ready operations are filled with. */
  demo: Readonly<Record<string, string>>;
}

export interface ExplorerOptions {
  /** Whether the schema is told; without it the explorer has no completion. */
  introspection: boolean;
  /** Undefined everywhere but in development: then there is no route for tokens. */
  development?: DevelopmentHelp | undefined;
}

const tokenRequest = z.object({ role: z.string() });

/** Whether a browser on this machine meant this machine: a name of somebody else that leads here does not count. */
function isLoopback(host: string): boolean {
  return ['127.0.0.1', 'localhost', '[::1]'].includes(host.replace(/:\d+$/, ''));
}

async function bundledPage(): Promise<string> {
  try {
    return await readFile(new URL('index.html', BUNDLE), 'utf8');
  } catch (cause) {
    throw new ConfigError('The explorer is not bundled. Run `npm run ready`, or set EXPLORER=off.', { cause });
  }
}

/**
 * `/`: an explorer of the API for the browser, with everything it needs under `/explorer/`. The files are those of the
 * bundle and no others: each has a route of its own. They are named by their hash, so browsers may keep them.
 *
 * @throws ConfigError when the explorer is not bundled
 */
export async function explorerRoutes(
  app: FastifyInstance,
  { introspection, development }: ExplorerOptions,
): Promise<void> {
  const page = await bundledPage();

  app.register(async (scoped) => {
    scoped.addHook('onRequest', async (_request, reply) => {
      reply.headers(HEADERS);
    });
    await scoped.register(fastifyStatic, {
      root: fileURLToPath(new URL('explorer/', BUNDLE)),
      prefix: '/explorer/',
      wildcard: false,
      index: false,
      redirect: false,
      decorateReply: false,
      preCompressed: true,
      globIgnore: ['**/*.gz'],
      maxAge: '1y',
      immutable: true,
    });
    scoped.get('/', async (_request, reply) =>
      reply.type('text/html; charset=utf-8').header('cache-control', 'no-cache').send(page),
    );
    scoped.get('/explorer/settings.json', async (request, reply) => {
      const headers = isLoopback(request.headers.host ?? '') ? development?.headers : undefined;
      return reply
        .header('cache-control', 'no-store')
        .send({ introspection, roles: development?.roles ?? [], demo: development?.demo ?? null, headers });
    });
    if (development === undefined) return;
    scoped.post('/explorer/tokens', async (request, reply) => {
      reply.header('cache-control', 'no-store');
      if (!isLoopback(request.headers.host ?? '')) return reply.code(403).send({ error: 'Ask by a loopback address.' });
      const wanted = tokenRequest.safeParse(request.body);
      const token = wanted.success ? await development.tokenFor(wanted.data.role) : null;
      return token === null ? reply.code(400).send({ error: 'There is no such role.' }) : reply.send({ token });
    });
  });
}
