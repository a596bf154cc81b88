import { createHash, timingSafeEqual } from 'node:crypto';

/** Where the gateway shows its secret. */
export const GATEWAY_SECRET_HEADER = 'x-gateway-secret';

const digest = (text: string) => createHash('sha256').update(text).digest();

/**
 * Makes the check of what a caller shows: any one of the secrets is good, so that they can be changed. Every secret is
 * compared, by digests of one length, so that the time tells nothing of them.
 */
export function makeIsGateway(secrets: readonly string[]): (shown: string | string[] | undefined) => boolean {
  const expected = secrets.map(digest);
  return (shown) => {
    if (typeof shown !== 'string') return false;
    const given = digest(shown);
    return expected.map((one) => timingSafeEqual(one, given)).includes(true);
  };
}
