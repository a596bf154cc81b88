import type { AddressInfo } from 'node:net';
import type { FastifyError, FastifyInstance } from 'fastify';
import Fastify from 'fastify';
import { SimulatorControl } from './control.ts';
import { controlOperations } from './control-operations.ts';
import { entraHost } from './entra.ts';
import { badRequest, GraphFailure, graphErrorBody } from './errors.ts';
import { graphHost } from './graph.ts';
import { requestIds } from './headers.ts';
import { mediaHost } from './media.ts';
import { serve } from './serve.ts';
import type { World } from './state.ts';
import { createWorld } from './state.ts';

export interface SimulatorOptions {
  /** Default 0: any free port. */
  port?: number;
  /** Default 127.0.0.1. */
  host?: string;
}

export interface Simulator {
  /** Base of both services: Graph is at `{url}/v1.0`, Entra at `{url}/{directory}/oauth2/v2.0/token`. */
  url: string;
  control: SimulatorControl;
  close(): Promise<void>;
}

const BODY_LIMIT_BYTES = 4 * 1024 * 1024;

/** Starts an empty simulator of Microsoft Graph and Entra. Rejects when the port is taken. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const host = options.host ?? '127.0.0.1';
  const world = createWorld();
  const main = mainServer(world);
  const media = httpServer();
  media.all('/*', (request, reply) => serve(world, mediaHost, request, reply));
  const close = async () => {
    world.faults.clear();
    world.deliveries.stop();
    await Promise.all([main.close(), media.close()]);
  };
  try {
    await main.listen({ port: options.port ?? 0, host });
    await media.listen({ port: 0, host });
  } catch (error) {
    await close();
    throw error;
  }
  world.mediaPort = portOf(media);
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${portOf(main)}`;
  return { url, control: new SimulatorControl(url), close };
}

function mainServer(world: World): FastifyInstance {
  const server = httpServer();
  server.get('/', () => ({ name: 'Microsoft Graph and Entra simulator', graph: '/v1.0', control: '/_simulator' }));
  server.post<{ Params: { operation: string } }>('/_simulator/:operation', async (request, reply) => {
    const { operation } = request.params;
    try {
      const input: unknown = JSON.parse(Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '{}');
      return reply.send((await runOperation(world, operation, input)) ?? {});
    } catch (error) {
      return reply.code(400).send({ error: error instanceof Error ? error.message : String(error) });
    }
  });
  server.all('/v1.0/*', (request, reply) => serve(world, graphHost, request, reply));
  server.post('/:directory/oauth2/v2.0/token', (request, reply) => serve(world, entraHost, request, reply));
  server.get('/:directory/v2.0/.well-known/openid-configuration', (request, reply) =>
    serve(world, entraHost, request, reply),
  );
  server.get('/:directory/discovery/v2.0/keys', (request, reply) => serve(world, entraHost, request, reply));
  server.setNotFoundHandler((request, reply) => {
    const context = { now: world.clock.now(), ...requestIds(request.headers) };
    const version = request.url.split(/[/?]/)[1] ?? '';
    return reply.code(400).send(graphErrorBody(badRequest(`Invalid version: ${version}`), context));
  });
  return server;
}

/** A server whose bodies stay bytes: each host reads them by its own rules. */
function httpServer(): FastifyInstance {
  const server = Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    forceCloseConnections: true,
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  server.setErrorHandler((error: FastifyError, request, reply) => {
    const failure = new GraphFailure(error.statusCode ?? 500, 'UnknownError', error.message);
    return reply
      .code(failure.status)
      .send(graphErrorBody(failure, { now: new Date(), ...requestIds(request.headers) }));
  });
  return server;
}

function runOperation(world: World, name: string, input: unknown): unknown {
  const operations: Record<string, ((world: World, input: never) => unknown) | undefined> = controlOperations;
  const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
  if (operation === undefined) throw new Error(`no operation ${name}`);
  return operation(world, input as never);
}

function portOf(server: FastifyInstance): number {
  return (server.server.address() as AddressInfo).port;
}
