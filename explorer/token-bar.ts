import type { ExplorerSettings } from './settings.ts';

const NO_SCHEMA =
  'This server does not tell its schema (INTROSPECTION=off): no completion and no documentation here. Operations run all the same.';

function element<E extends HTMLElement>(id: string, kind: new () => E): E {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page has no ${id}`);
  return found;
}

async function fetchToken(role: string): Promise<string> {
  const response = await fetch('explorer/tokens', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ role }),
  });
  if (!response.ok) throw new Error(`The server gave no token: ${response.status}`);
  const { token } = await response.json();
  return token;
}

/**
 * Brings the bar at the top to life: the token, which is kept in the page alone and is gone with it, and in
 * development the choice of a role that fills it in.
 * @returns the header that an operation is sent with; empty without a token
 */
export function startTokenBar({ roles, introspection }: ExplorerSettings): () => Record<string, string> {
  const token = element('token', HTMLInputElement);
  const note = element('note', HTMLParagraphElement);
  const current = () => token.value.trim().replace(/^Bearer\s+/i, '');
  const say = (text: string) => {
    note.textContent = text;
    note.hidden = text === '';
  };
  say(introspection ? '' : NO_SCHEMA);

  element('status', HTMLFormElement).addEventListener('submit', () => {
    element('status-token', HTMLInputElement).value = current();
  });

  if (roles.length > 0) {
    const choice = element('role', HTMLSelectElement);
    choice.append(...roles.map((role) => new Option(role)));
    element('roles', HTMLFormElement).hidden = false;
    const take = () =>
      fetchToken(choice.value).then(
        (fetched) => {
          token.value = fetched;
        },
        (error: unknown) => say(String(error)),
      );
    choice.addEventListener('change', take);
    void take();
  }
  return () => {
    const headers: Record<string, string> = {};
    if (current() !== '') headers.authorization = `Bearer ${current()}`;
    return headers;
  };
}
