import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export interface RequestIds {
  requestId: string;
  clientRequestId: string;
}

/** A fresh request-id, and the caller's client-request-id or else the same. */
export function requestIds(headers: IncomingHttpHeaders): RequestIds {
  const requestId = randomUUID();
  const sent = headers['client-request-id'];
  return { requestId, clientRequestId: typeof sent === 'string' && sent !== '' ? sent : requestId };
}

const DIAGNOSTIC = JSON.stringify({
  ServerInfo: {
    DataCenter: 'West Europe',
    Slice: 'E',
    Ring: '5',
    ScaleUnit: '000',
    RoleInstance: 'AM4PEPF00000001',
  },
});

/** The headers that stand on every Graph answer. */
export function graphHeaders(ids: RequestIds, now: Date): Record<string, string> {
  return {
    'request-id': ids.requestId,
    'client-request-id': ids.clientRequestId,
    'x-ms-ags-diagnostic': DIAGNOSTIC,
    date: now.toUTCString(),
    'strict-transport-security': 'max-age=31536000',
    'cache-control': 'no-store, no-cache',
  };
}

/** The headers of a token endpoint answer. */
export function entraHeaders(ids: RequestIds, now: Date): Record<string, string> {
  return {
    'x-ms-request-id': ids.requestId,
    'client-request-id': ids.clientRequestId,
    date: now.toUTCString(),
    'strict-transport-security': 'max-age=31536000; includeSubDomains',
    'cache-control': 'no-store, no-cache',
    pragma: 'no-cache',
    'x-content-type-options': 'nosniff',
  };
}

/** Content type of Graph's JSON successes. */
export const ODATA_JSON =
  'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8';

/** The values of `Prefer`, lower-case names; several preferences may share a header line. */
export function parsePrefer(header: string | string[] | undefined): Map<string, string> {
  const text = Array.isArray(header) ? header.join(',') : (header ?? '');
  const preferences = new Map<string, string>();
  for (const match of text.matchAll(/([\w.-]+)\s*(?:=\s*(?:"([^"]*)"|([^,;\s]+)))?/g)) {
    const [, name, quoted, bare] = match;
    if (name !== undefined) preferences.set(name.toLowerCase(), quoted ?? bare ?? '');
  }
  return preferences;
}
