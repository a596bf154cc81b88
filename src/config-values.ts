import { z } from 'zod';
import { type BlobStoreLocation, blobStoreLocation } from './blobs/location.ts';

/** What each kind of value in the environment has to look like; `config.ts` says which variable is of which kind. */

/** One key of a ring; the ring's first key encrypts or signs, all of them decrypt or verify. */
export interface SecretKey {
  id: string;
  bytes: Buffer;
}

export const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

function isUrl(text: string, protocols: string[]): boolean {
  return URL.canParse(text) && protocols.includes(new URL(text).protocol);
}

export const postgresUrl = z
  .string()
  .refine(
    (text) => isUrl(text, ['postgres:', 'postgresql:']),
    'is not a Postgres URL such as postgresql://user:password@host:5432/database',
  );

export const publicUrl = z
  .string()
  .refine((text) => isUrl(text, ['http:', 'https:']), 'is not an http(s) URL')
  .transform((text) => text.replace(/\/+$/, ''));

const HTTPS_OR_LOOPBACK = 'must be https; plain http is accepted for 127.0.0.1, [::1] and localhost only';

function isHttpsOrLoopback(text: string): boolean {
  return isUrl(text, ['https:']) || (isUrl(text, ['http:']) && LOOPBACK.has(new URL(text).hostname));
}

export const microsoftUrl = publicUrl.refine(isHttpsOrLoopback, HTTPS_OR_LOOPBACK);

/** Taken as it is written: a path may end with a slash that the receiver wants. */
export const eventsUrl = z
  .string()
  .refine((text) => isUrl(text, ['http:', 'https:']), 'is not an http(s) URL')
  .refine(isHttpsOrLoopback, HTTPS_OR_LOOPBACK)
  .refine(
    // Node's fetch refuses an address with credentials at every delivery.
    (text) => !URL.canParse(text) || (new URL(text).username === '' && new URL(text).password === ''),
    'must not hold a user name or password: events are signed',
  );

export const WEBHOOK_SECRET = 'must be whsec_ and the base64 of 24 to 64 bytes (openssl rand -base64 32)';

/** A secret of Standard Webhooks, in the form and length that the specification asks for. */
export function isWebhookSecret(text: string): boolean {
  const encoded = text.slice('whsec_'.length);
  const bytes = Buffer.from(encoded, 'base64');
  // Node skips what is no base64; only what comes back as it was written is.
  return text.startsWith('whsec_') && bytes.length >= 24 && bytes.length <= 64 && bytes.toString('base64') === encoded;
}

export const webhookSecrets = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .refine((secrets) => secrets.every(isWebhookSecret), `each ${WEBHOOK_SECRET}, separated by commas`);

export const keyRing = z.string().transform((text, context): SecretKey[] => {
  const keys = text.split(',').map((part) => part.trim());
  return keys.map((part) => {
    const separator = part.indexOf(':');
    const bytes = Buffer.from(part.slice(separator + 1), 'base64');
    if (separator < 1 || !/^[A-Za-z0-9_-]+$/.test(part.slice(0, separator)) || bytes.length !== 32) {
      context.addIssue({
        code: 'custom',
        message: 'must be id:base64key[,id:base64key…] with keys of 32 bytes (openssl rand -base64 32)',
      });
      return z.NEVER;
    }
    return { id: part.slice(0, separator), bytes };
  });
});

export const smtpUrl = z
  .string()
  .refine(
    (text) => isUrl(text, ['smtp:', 'smtps:']) && new URL(text).hostname !== '',
    'is not an SMTP URL such as smtp://user:password@mail.example.com:587 or smtps://mail.example.com',
  );

/** An address, or a name before an address in angle brackets. */
const SENDER = /^(?:[^<>\p{Cc}]*<[^\s<>@,;"]+@[^\s<>@,;"]+>|[^\s<>@,;"]+@[^\s<>@,;"]+)$/u;
export const sender = z
  .string()
  .trim()
  .refine(
    (text) => SENDER.test(text),
    'is not a sender such as meetings@example.com or Meetings <meetings@example.com>',
  );

export const blobStore = z.string().transform((text, context): BlobStoreLocation => {
  const store = blobStoreLocation(text);
  if (typeof store !== 'string') return store;
  context.addIssue({ code: 'custom', message: store });
  return z.NEVER;
});

/** An address or a range of them, as a proxy's own configuration writes it. */
const ADDRESS = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]);
export const proxies = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .refine(
    (list) => list.every((part) => ADDRESS.safeParse(part).success),
    'must be addresses or ranges such as 10.0.0.0/8, separated by commas',
  );

const GATEWAY_SECRET = /^[\x21-\x2b\x2d-\x7e]{32,}$/;
export const gatewaySecrets = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .refine(
    (secrets) => secrets.every((secret) => GATEWAY_SECRET.test(secret)),
    'must be secrets of at least 32 visible ASCII characters each, separated by commas (openssl rand -hex 32)',
  );

export const perMinute = z.coerce.number().int().min(0).max(1_000_000_000);

export const onOff = z.enum(['on', 'off']).transform((value) => value === 'on');
export const port = z.coerce.number().int().min(0).max(65_535);
