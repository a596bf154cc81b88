const KEY = Buffer.alloc(32, 7).toString('base64');

/** A value that is taken, for every variable of a server that is a secret. */
export const SECRETS_OF_SERVE: Readonly<Record<string, string>> = {
  DATABASE_URL: 'postgresql://teams_meetings_server:password@postgres:5432/teams_meetings',
  ENCRYPTION_KEYS: `k1:${KEY}`,
  LINK_SIGNING_KEYS: `k1:${KEY}`,
  PSA_WEBHOOK_SECRET: `whsec_${KEY}`,
  PSA_EVENTS_SECRET: `whsec_${KEY}`,
  SMTP_URL: 'smtp://user:password@mail.example.com:587',
};
