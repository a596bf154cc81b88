import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MailboxQueues } from '../../../src/graph/throttle.ts';
import { APP, type FakeMicrosoft, json, serviceFor, startFakeMicrosoft } from './fake-microsoft.ts';

const never = new AbortController().signal;

/** Work that ends when told, and that can be seen to have begun. */
function gate(): { work: () => Promise<void>; begun: Promise<void>; open: () => void; hasBegun: () => boolean } {
  const begun = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  let hasBegun = false;
  const work = (): Promise<void> => {
    hasBegun = true;
    begun.resolve();
    return opened.promise;
  };
  return { work, begun: begun.promise, open: opened.resolve, hasBegun: () => hasBegun };
}

describe('MailboxQueues', () => {
  it('runs as many as allowed and the rest in order', async () => {
    const queues = new MailboxQueues(2);
    const gates = [gate(), gate(), gate(), gate()];
    const runs = gates.map(({ work }) => queues.run('mailbox', never, work));
    await gates[1]?.begun;
    expect(gates.map(({ hasBegun }) => hasBegun())).toEqual([true, true, false, false]);
    gates[1]?.open();
    await gates[2]?.begun;
    expect(gates[3]?.hasBegun()).toBe(false);
    for (const { open } of gates) open();
    await Promise.all(runs);
    expect(queues.size).toBe(0);
  });

  it('keeps mailboxes apart', async () => {
    const queues = new MailboxQueues(1);
    const held = gate();
    const run = queues.run('a', never, held.work);
    await expect(queues.run('b', never, async () => 'done')).resolves.toBe('done');
    held.open();
    await run;
  });

  it('gives the place back when the work fails', async () => {
    const queues = new MailboxQueues(1);
    await expect(queues.run('a', never, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    await expect(queues.run('a', never, async () => 'done')).resolves.toBe('done');
    expect(queues.size).toBe(0);
  });

  it('serves who yields when nobody else waits', async () => {
    const queues = new MailboxQueues(1);
    const held = gate();
    const run = queues.run('a', never, held.work);
    const order: string[] = [];
    const waiting = [
      queues.run('a', never, async () => void order.push('yielding, first'), true),
      queues.run('a', never, async () => void order.push('yielding, second'), true),
      queues.run('a', never, async () => void order.push('first')),
      queues.run('a', never, async () => void order.push('second')),
    ];
    held.open();
    await Promise.all([run, ...waiting]);
    expect(order).toEqual(['first', 'second', 'yielding, first', 'yielding, second']);
    expect(queues.size).toBe(0);
  });

  it('forgets who aborts while waiting', async () => {
    const queues = new MailboxQueues(1);
    const held = gate();
    const run = queues.run('a', never, held.work);
    const controller = new AbortController();
    const impatient = gate();
    const left = queues.run('a', controller.signal, impatient.work);
    const patient = queues.run('a', never, async () => 'done');
    controller.abort();
    await expect(left).rejects.toMatchObject({ name: 'AbortError' });
    held.open();
    await expect(patient).resolves.toBe('done');
    await run;
    expect(impatient.hasBegun()).toBe(false);
    expect(queues.size).toBe(0);
  });

  it('refuses an aborted signal at once', async () => {
    const queues = new MailboxQueues(1);
    await expect(queues.run('a', AbortSignal.abort(), async () => 'done')).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(queues.size).toBe(0);
  });
});

describe('calls to one mailbox', () => {
  const USER = { id: 'u', userPrincipalName: 'u@acme.example' };
  let fake: FakeMicrosoft;
  beforeEach(async () => {
    fake = await startFakeMicrosoft();
  });
  afterEach(() => fake.close());

  it('are at most four at once over all clients of the app', async () => {
    let active = 0;
    let most = 0;
    const full = Promise.withResolvers<void>();
    fake.answerGraph(async (request, response) => {
      active += 1;
      most = Math.max(most, active);
      if (active === 4) full.resolve();
      await full.promise;
      // Whoever would be let in too early arrives within these turns of the loop.
      for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      active -= 1;
      await json(200, USER)(request, response);
    });
    const { service, client } = serviceFor(fake);
    const other = service.forApp({ ...APP, credential: { kind: 'CLIENT_SECRET', clientSecret: 'rotated' } });
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 ? client : other).users.get(index % 3 ? 'Mailbox' : 'mailbox'),
      ),
    );
    expect(most).toBe(4);
    expect(fake.graphRequests).toHaveLength(20);
  });

  it('do not hold a place while waiting for a retry', async () => {
    const sleeping = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    fake.answerGraph(json(503), json(200, USER));
    const { client } = serviceFor(fake, {
      maxConcurrentPerMailbox: 1,
      sleep: () => {
        sleeping.resolve();
        return goOn.promise;
      },
    });
    const retried = client.users.get('mailbox');
    await sleeping.promise;
    await expect(client.users.get('mailbox')).resolves.toMatchObject({ id: 'u' });
    goOn.resolve();
    await expect(retried).resolves.toMatchObject({ id: 'u' });
  });

  it('that wait in the queue too long are TIMEOUT', async () => {
    const arrived = Promise.withResolvers<void>();
    fake.answerGraph(() => arrived.resolve());
    const { client } = serviceFor(fake, { maxConcurrentPerMailbox: 1, totalTimeoutMs: 500, perTryTimeoutMs: 5_000 });
    await client.grantedRoles();
    const first = client.users.get('mailbox');
    await arrived.promise;
    // The place that the first gives back may still go to the second: what counts is that it was held until then.
    const sentMeanwhile = first.catch((error: { kind: string }) => [error.kind, fake.graphRequests.length]);
    const second = client.users.get('mailbox').catch((error: { kind: string }) => error.kind);
    await expect(sentMeanwhile).resolves.toEqual(['TIMEOUT', 1]);
    await expect(second).resolves.toBe('TIMEOUT');
  });
});
