import type { TenantPrisma } from '../../db/database.ts';

/** Every column of the tenant in which something is encrypted: a test holds this list and the database together. */
export const ENCRYPTED_COLUMNS = [
  'microsoft_apps.credential_ciphertext',
  'graph_subscriptions.former_credential_ciphertext',
];

export interface StoredSecret {
  ciphertext: string;
  /** What cannot be read without it, for a person. */
  what: string;
  /** Without it nothing works; the others only clear something up. */
  isNeeded: boolean;
  /** Puts another ciphertext in its place, unless it was changed or deleted meanwhile: then it resolves with false. */
  replace(prisma: TenantPrisma, ciphertext: string): Promise<boolean>;
}

/** Everything that is stored encrypted for the tenant. */
export async function storedSecrets(prisma: TenantPrisma): Promise<StoredSecret[]> {
  const app = await prisma.microsoftApp.findFirst({ select: { credentialCiphertext: true } });
  const former = await prisma.graphSubscription.findMany({
    where: { formerCredentialCiphertext: { not: null } },
    select: { id: true, formerCredentialCiphertext: true },
    orderBy: { id: 'asc' },
  });
  const secrets = former.map(({ id, formerCredentialCiphertext }): StoredSecret => {
    const ciphertext = formerCredentialCiphertext ?? '';
    return {
      ciphertext,
      what: `the credential of a former app, with which the subscription ${id} is removed`,
      isNeeded: false,
      replace: async (prisma, next) => {
        const where = { id, formerCredentialCiphertext: ciphertext };
        const data = { formerCredentialCiphertext: next };
        return (await prisma.graphSubscription.updateMany({ where, data })).count > 0;
      },
    };
  });
  if (app === null) return secrets;
  const { credentialCiphertext } = app;
  const ofApp: StoredSecret = {
    ciphertext: credentialCiphertext,
    what: 'the credential of the connected app',
    isNeeded: true,
    replace: async (prisma, next) => {
      const data = { credentialCiphertext: next };
      return (await prisma.microsoftApp.updateMany({ where: { credentialCiphertext }, data })).count > 0;
    },
  };
  return [ofApp, ...secrets];
}
