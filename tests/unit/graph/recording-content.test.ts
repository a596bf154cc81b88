import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { contentStream } from '../../../src/graph/content-stream.ts';
import type { GraphContentStream } from '../../../src/graph/types.ts';
import {
  type Answerer,
  type FakeMicrosoft,
  graphError,
  json,
  reset,
  serviceFor,
  startFakeMicrosoft,
} from './fake-microsoft.ts';

let fake: FakeMicrosoft;
let media: FakeMicrosoft;
beforeEach(async () => {
  [fake, media] = await Promise.all([startFakeMicrosoft(), startFakeMicrosoft()]);
});
afterEach(() => Promise.all([fake.close(), media.close()]));

const video: Answerer = (_request, response) => {
  response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': '5', 'request-id': 'request-1' });
  response.end('bytes');
};

function redirectTo(location: string): Answerer {
  return (_request, response) => {
    response.writeHead(302, { location });
    response.end();
  };
}

function open(options: Parameters<ReturnType<typeof serviceFor>['client']['recordings']['openContent']>[3] = {}) {
  return serviceFor(fake).client.recordings.openContent('u1', 'MSo1', 'r+1=', options);
}

function textOf(content: GraphContentStream): Promise<string> {
  return text(content.body);
}

describe('openContent', () => {
  it('streams a whole recording', async () => {
    fake.answerGraph(video);
    const content = await open();
    expect(content).toMatchObject({
      contentType: 'video/mp4',
      offset: 0,
      contentLength: 5,
      size: 5,
      tag: null,
      isEndMarked: true,
      acceptsRanges: false,
      requestId: 'request-1',
    });
    expect(await textOf(content)).toBe('bytes');
    const [request] = fake.graphRequests;
    expect(request?.url).toBe('/v1.0/users/u1/onlineMeetings/MSo1/recordings/r%2B1%3D/content');
    expect(request?.headers.range).toBeUndefined();
    expect(request?.headers['accept-encoding']).toBe('identity');
  });

  it('passes on a range and its answer', async () => {
    fake.answerGraph((_request, response) => {
      response.writeHead(206, { 'content-type': 'video/mp4', 'content-range': 'bytes 1-2/5', 'content-length': '2' });
      response.end('yt');
    });
    const content = await open({ range: 'bytes=1-2' });
    expect(content).toMatchObject({ offset: 1, contentLength: 2, size: 5, acceptsRanges: true, isEndMarked: true });
    expect(await textOf(content)).toBe('yt');
    expect(fake.graphRequests[0]?.headers.range).toBe('bytes=1-2');
  });

  it('does without length and type, and believes Accept-Ranges', async () => {
    fake.answerGraph((_request, response) => {
      response.writeHead(200, { 'accept-ranges': 'bytes' });
      response.write('by');
      response.end('tes');
    });
    const content = await open();
    expect(content).toMatchObject({
      contentType: 'video/mp4',
      contentLength: null,
      size: null,
      acceptsRanges: true,
      isEndMarked: true,
    });
    expect(await textOf(content)).toBe('bytes');
  });

  it('tells that the end of a body without length and chunks is no certain end', async () => {
    fake.answerGraph((_request, response) => {
      response.socket?.end('HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nConnection: close\r\n\r\nbytes');
    });
    const content = await open();
    expect(content).toMatchObject({ contentLength: null, size: null, isEndMarked: false });
    expect(await textOf(content)).toBe('bytes');
  });

  it('takes a strong ETag for the name of a version, and no weak one', async () => {
    const tagged = (etag: string): Answerer => {
      return (_request, response) => void response.writeHead(200, { etag, 'content-length': '5' }).end('bytes');
    };
    fake.answerGraph(tagged('"v1"'), tagged('W/"v1"'));
    for (const tag of ['"v1"', null]) {
      const content = await open();
      expect(content.tag).toBe(tag);
      await content.body.cancel();
    }
  });

  it('believes a part of unknown size, and no part that does not say which it is', async () => {
    const part = (contentRange: string): Answerer => {
      return (_request, response) => void response.writeHead(206, { 'content-range': contentRange }).end('yt');
    };
    fake.answerGraph(part('bytes 1-2/*'), part('bytes 2-1/5'), part('pages 1-2/5'));
    const content = await open({ range: 'bytes=1-2' });
    expect(content).toMatchObject({ offset: 1, contentLength: 2, size: null });
    await content.body.cancel();
    for (let i = 0; i < 2; i += 1) {
      await expect(open({ range: 'bytes=1-2' })).rejects.toMatchObject({ kind: 'UNKNOWN' });
    }
  });

  it('is an empty stream when there is no content', async () => {
    fake.answerGraph(json(204));
    expect(await textOf(await open())).toBe('');
  });

  it('turns a header that cannot be sent into a GraphRequestError', async () => {
    await expect(open({ range: 'bytes=\n0' })).rejects.toMatchObject({ name: 'GraphRequestError', kind: 'UNKNOWN' });
    expect(fake.graphRequests).toHaveLength(0);
  });

  it('tells a range that is not there', async () => {
    fake.answerGraph(json(416));
    await expect(open({ range: 'bytes=9-' })).rejects.toMatchObject({ kind: 'INVALID_REQUEST', status: 416 });
  });
});

describe('a redirect of the content', () => {
  it('is followed to another host without the token, with the range', async () => {
    fake.answerGraph(redirectTo(`${media.url}/blob?sig=abc`));
    media.answerGraph(video);
    expect(await textOf(await open({ range: 'bytes=0-' }))).toBe('bytes');
    const [request] = media.graphRequests;
    expect(fake.graphRequests[0]?.headers.authorization).toMatch(/^Bearer /);
    expect(request?.url).toBe('/blob?sig=abc');
    expect(request?.headers.authorization).toBeUndefined();
    expect(request?.headers['client-request-id']).toBeUndefined();
    expect(request?.headers.prefer).toBeUndefined();
    expect(request?.headers.range).toBe('bytes=0-');
  });

  it('within Graph keeps the token', async () => {
    fake.answerGraph(redirectTo('/v1.0/elsewhere'), video);
    expect(await textOf(await open())).toBe('bytes');
    expect(fake.graphRequests[1]?.headers.authorization).toMatch(/^Bearer /);
  });

  it('back to Graph has the token again', async () => {
    fake.answerGraph(redirectTo(`${media.url}/blob`), video);
    media.answerGraph(redirectTo(`${fake.url}/v1.0/back`));
    expect(await textOf(await open())).toBe('bytes');
    expect(fake.graphRequests[1]?.headers.authorization).toMatch(/^Bearer /);
  });

  it.each(['http://media.example/blob', 'ftp://127.0.0.1/blob', 'http://'])(
    'to %s is not followed',
    async (location) => {
      fake.answerGraph(redirectTo(location));
      await expect(open()).rejects.toMatchObject({ kind: 'UNKNOWN' });
    },
  );

  it('that never ends is given up', async () => {
    fake.answerGraph(redirectTo('/v1.0/round'));
    await expect(open()).rejects.toMatchObject({ kind: 'UNKNOWN' });
    expect(fake.graphRequests).toHaveLength(6);
  });

  it('without an address is UNKNOWN', async () => {
    fake.answerGraph(json(302));
    await expect(open()).rejects.toMatchObject({ kind: 'UNKNOWN', status: 302 });
  });

  it('to a host that refuses is no reason for a new token', async () => {
    fake.answerGraph(redirectTo(`${media.url}/blob`));
    media.answerGraph(graphError(401, 'InvalidAuthenticationToken'));
    await expect(open()).rejects.toMatchObject({ kind: 'FORBIDDEN', status: 401 });
    expect(fake.tokenRequests).toHaveLength(1);
  });

  it('of a write is not followed', async () => {
    fake.answerGraph(redirectTo(`${media.url}/v1.0/users/u1/events/e1`));
    await expect(serviceFor(fake).client.events.delete('u1', 'e1')).rejects.toMatchObject({ kind: 'UNKNOWN' });
    expect(media.graphRequests).toHaveLength(0);
  });
});

describe('the stream', () => {
  /** Sends one chunk and leaves the rest to `then`. */
  function begin(then: Answerer): Answerer {
    return (request, response) => {
      response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': '1000' });
      response.write('begin', () => void then(request, response));
    };
  }

  it('fails with NETWORK when the connection breaks', async () => {
    fake.answerGraph(begin(reset));
    await expect(open().then(textOf)).rejects.toMatchObject({ name: 'GraphRequestError', kind: 'NETWORK' });
  });

  it('fails with TIMEOUT when nothing more comes', async () => {
    fake.answerGraph(begin(() => undefined));
    const { client } = serviceFor(fake, { perTryTimeoutMs: 200 });
    const content = await client.recordings.openContent('u1', 'MSo1', 'r1');
    await expect(textOf(content)).rejects.toMatchObject({ kind: 'TIMEOUT' });
  });

  it("ends with the AbortError when the caller's signal aborts", async () => {
    const controller = new AbortController();
    const closed = Promise.withResolvers<void>();
    fake.answerGraph(
      begin((_request, response) => {
        response.on('close', () => closed.resolve());
      }),
    );
    const content = await open({ signal: controller.signal });
    const reader = content.body[Symbol.asyncIterator]();
    expect(new TextDecoder().decode((await reader.next()).value)).toBe('begin');
    controller.abort();
    await expect(reader.next()).rejects.toMatchObject({ name: 'AbortError' });
    await closed.promise;
  });

  it('closes the connection when it is cancelled', async () => {
    const closed = Promise.withResolvers<void>();
    fake.answerGraph(
      begin((_request, response) => {
        response.on('close', () => closed.resolve());
      }),
    );
    const content = await open();
    await content.body.cancel();
    await closed.promise;
  });

  it('outlives the time for the whole call, and leaves the mailbox free', async () => {
    const finish = Promise.withResolvers<void>();
    fake.answerGraph(
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'video/mp4' });
        response.write('begin ');
        void finish.promise.then(() => response.end('end'));
      },
      json(200, { value: [] }),
    );
    const { client } = serviceFor(fake, { totalTimeoutMs: 1_000, perTryTimeoutMs: 5_000, maxConcurrentPerMailbox: 1 });
    const content = await client.recordings.openContent('u1', 'MSo1', 'r1');
    const text = textOf(content);
    expect(await client.recordings.list('u1', 'MSo1')).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    finish.resolve();
    expect(await text).toBe('begin end');
  });

  it('takes no more from the source than is read and one chunk ahead', async () => {
    let pulls = 0;
    const source = new Readable({
      highWaterMark: 1,
      read() {
        pulls += 1;
        this.push(new Uint8Array([pulls]));
      },
    });
    const content = contentStream(source, { idleTimeoutMs: 1_000, signal: undefined });
    const reader = content[Symbol.asyncIterator]();
    await reader.next();
    await reader.next();
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(pulls).toBeLessThanOrEqual(3);
    await content.cancel();
    expect(source.destroyed).toBe(true);
  });
});
