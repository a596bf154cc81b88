import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { GraphServiceOptions } from '../../../src/graph/service.ts';
import type { GraphMeetingArtifacts } from '../../../src/graph/types.ts';
import {
  type Answerer,
  type FakeMicrosoft,
  issueToken,
  json,
  type SeenRequest,
  type ServiceUnderTest,
  serviceFor,
  startFakeMicrosoft,
} from './fake-microsoft.ts';

export const USER = 'aaaaaaaa-0000-4000-8000-00000000000a';
export const EMPTY = { status: 200, body: { value: [] } };
export const THROTTLED = { error: { code: 'TooManyRequests', message: 'Please retry again later.' } };

export interface ItemRequest {
  id: string;
  method: string;
  url: string;
  headers: Record<string, string>;
}

type ItemAnswer = Record<string, unknown> | null;

export let fake: FakeMicrosoft;

export function useBatches(): void {
  beforeAll(async () => {
    fake = await startFakeMicrosoft();
  });
  afterAll(() => fake.close());
  beforeEach(() => {
    fake.graphRequests.length = 0;
    fake.tokenRequests.length = 0;
    fake.answerTokens(issueToken());
  });
}

export function itemsOf(request: SeenRequest | undefined): ItemRequest[] {
  return JSON.parse(request?.body ?? '{"requests":[]}').requests;
}

/** Answers each item by the function; null leaves it out. */
export function batch(answer: (item: ItemRequest) => ItemAnswer): Answerer {
  return (request, response) => {
    const responses = itemsOf(request).flatMap((item) => {
      const given = answer(item);
      return given === null ? [] : [{ id: item.id, ...given }];
    });
    return json(200, { responses: responses.reverse() })(request, response);
  };
}

export const allEmpty = batch(() => EMPTY);

export function on(part: string, answer: ItemAnswer): Answerer {
  return batch(({ url }) => (url.includes(part) ? answer : EMPTY));
}

export function artifact(id: string): Record<string, unknown> {
  return { id, meetingId: 'm', callId: 'c', createdDateTime: '2036-12-01T09:00:00.0000000Z' };
}

/** Lists the artifacts of meetings `m0`, `m1`… */
export async function list(count = 1, options: Partial<GraphServiceOptions> = {}) {
  const tested: ServiceUnderTest = serviceFor(fake, options);
  const names = Array.from({ length: count }, (_, index) => `m${index}`);
  const found = await tested.client.artifacts.listOfMeetings(USER, names);
  return { ...tested, found, of: (index: number): GraphMeetingArtifacts | undefined => found.get(names[index] ?? '') };
}
