import type { TestSubgraph } from '../../support/subgraph.ts';

export interface Answer {
  status: number;
  code: string | null;
  message: string | null;
  headers: Headers;
}

/** Sends something cheap that needs a token, with these headers besides, and tells how it was answered. */
export async function ask(
  { url }: Pick<TestSubgraph, 'url'>,
  headers: Record<string, string> = {},
  query = '{ teamsMeetingCapability { available } }',
): Promise<Answer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
  const { errors = [] } = (await response.json()) as { errors?: { message: string; extensions: { code: string } }[] };
  const [error] = errors;
  return {
    status: response.status,
    code: error?.extensions.code ?? null,
    message: error?.message ?? null,
    headers: response.headers,
  };
}
