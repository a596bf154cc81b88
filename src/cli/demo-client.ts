/** What the demo needs of the outside: a GraphQL client that insists, and the simulator's control API. */

/** Runs an operation as the holder of a token; a GraphQL error is an error here. */
export async function ask<Data>(url: string, token: string, query: string, variables: object = {}): Promise<Data> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const body = (await response.json()) as { data?: Data | null; errors?: { message: string }[] };
  if (body.errors !== undefined || !body.data)
    throw new Error(`The gateway answered ${JSON.stringify(body.errors ?? body)}`);
  return body.data;
}

interface Payload {
  userErrors: { code: string; message: string }[];
}

/** Runs a mutation with one field; a user error is an error here. */
export async function mutate<Result extends Payload>(
  url: string,
  token: string,
  query: string,
  input: object,
): Promise<Result> {
  const [payload] = Object.values(await ask<Record<string, Result>>(url, token, query, { input }));
  if (payload === undefined) throw new Error('The mutation answered nothing');
  const [first] = payload.userErrors;
  if (first !== undefined) throw new Error(`${first.code}: ${first.message}`);
  return payload;
}

/** Calls an operation of the simulator's control API. */
export async function simulate<Result>(simulatorUrl: string, operation: string, input: object): Promise<Result> {
  const response = await fetch(`${simulatorUrl}/_simulator/${operation}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(input),
  });
  const answer = (await response.json()) as Result;
  if (!response.ok) throw new Error(`The simulator refused ${operation}: ${JSON.stringify(answer)}`);
  return answer;
}

/** Fails the step unless the condition holds. */
export function hold(condition: unknown, otherwise: string): asserts condition {
  if (!condition) throw new Error(otherwise);
}

const PATIENCE_MS = 30_000;

/** Waits until the condition holds; fails the step when it does not within half a minute. */
export async function until(otherwise: string, condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    hold(performance.now() < end, `${otherwise} within ${PATIENCE_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
