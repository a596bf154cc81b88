import { GraphRequestError } from '../../graph/errors.ts';
import type {
  AppCredential,
  GraphClient,
  GraphService,
  MicrosoftAppRegistration,
  MicrosoftCloudName,
} from '../../graph/types.ts';
import { appendAudit } from '../audit/audit.ts';
import { explain, invalid, type UserError } from '../failures.ts';
import { planRetryOfBlocked } from '../meetings/planned-jobs.ts';
import { keepCredentialForRemoval, planSubscriptions } from '../notifications/planned.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import { readCertificate } from './certificate.ts';
import { type KeyRing, SecretUnreadableError } from './key-ring.ts';

export interface ConnectMicrosoftAppInput {
  clientId: string;
  directoryId: string;
  cloud: MicrosoftCloudName;
  clientSecret?: string | null;
  certificatePem?: string | null;
  privateKeyPem?: string | null;
}

/** What may be shown of a connected app: never the credential. */
export interface ConnectedMicrosoftApp {
  clientId: string;
  directoryId: string;
  cloud: MicrosoftCloudName;
  credentialKind: 'CLIENT_SECRET' | 'CERTIFICATE';
  credentialHint: string;
  credentialExpiresAt: Date | null;
}

interface CheckedCredential {
  credential: AppCredential;
  hint: string;
  expiresAt: Date | null;
}

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const DOMAIN = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/i;

function checkCredential(input: ConnectMicrosoftAppInput, now: Date): CheckedCredential | UserError {
  const { clientSecret, certificatePem, privateKeyPem } = input;
  const hasCertificate = Boolean(certificatePem) || Boolean(privateKeyPem);
  if (Boolean(clientSecret) === hasCertificate) {
    return invalid(['input', 'clientSecret'], 'Give either a client secret, or a certificate with its private key.');
  }
  if (clientSecret) {
    if (GUID.test(clientSecret)) {
      return invalid(
        ['input', 'clientSecret'],
        'This looks like the id of a client secret, not its value.',
        'Copy the column “Value” in Entra; it is shown only once.',
      );
    }
    return {
      credential: { kind: 'CLIENT_SECRET', clientSecret },
      hint: `${clientSecret.slice(0, 3)}…`,
      expiresAt: null,
    };
  }
  if (!certificatePem) return invalid(['input', 'certificatePem'], 'The certificate is missing.');
  if (!privateKeyPem) return invalid(['input', 'privateKeyPem'], 'The private key of the certificate is missing.');
  const facts = readCertificate(certificatePem, privateKeyPem, now);
  if ('code' in facts) return facts;
  return {
    credential: { kind: 'CERTIFICATE', certificatePem, privateKeyPem },
    hint: facts.hint,
    expiresAt: facts.expiresAt,
  };
}

/** Which input a rejected token request points at, so that the three usual mistakes are told apart. */
function rejectedInput(error: GraphRequestError, credential: AppCredential): string[] {
  if (error.kind === 'APP_NOT_FOUND') return ['input', 'clientId'];
  if (error.kind === 'DIRECTORY_NOT_FOUND') return ['input', 'directoryId'];
  return ['input', credential.kind === 'CERTIFICATE' ? 'certificatePem' : 'clientSecret'];
}

/** An app as it was when it made something, and its credential if it was replaced since. */
export interface FormerApp {
  appClientId: string;
  appDirectoryId: string;
  appCloud: MicrosoftCloudName;
  formerCredentialCiphertext: string | null;
}

export interface MicrosoftAppService {
  /**
   * Replaces the tenant's app registration after Microsoft gave a token for the new one; a rejected credential
   * leaves everything as it was. Another app or directory makes the organizer unresolved and the install pending.
   */
  connect(scope: Scope, input: ConnectMicrosoftAppInput): Promise<UserError[]>;
  find(scope: Scope): Promise<ConnectedMicrosoftApp | null>;
  /** The Graph client of the tenant's app, or null when none is connected. */
  graphFor(scope: Scope): Promise<GraphClient | null>;
  /**
   * The Graph client of an app that made something for the tenant: with today's credential where it is still the
   * connected one, otherwise with the one that it had; null when neither is there or can be read.
   */
  graphForFormer(scope: Scope, app: FormerApp): Promise<GraphClient | null>;
  /** Drops cached tokens, so that consent given a moment ago is seen. */
  refreshTokens(scope: Scope): Promise<void>;
}

export function createMicrosoftAppService(
  graph: GraphService,
  keys: KeyRing,
  tools: ServiceTools,
): MicrosoftAppService {
  async function registration(scope: Scope): Promise<MicrosoftAppRegistration | null> {
    const row = await scope.db.run((prisma) => prisma.microsoftApp.findFirst());
    if (row === null) return null;
    const credential = JSON.parse(keys.decrypt(row.credentialCiphertext, scope.db.tenantId)) as AppCredential;
    return { clientId: row.clientId, directoryId: row.directoryId, cloud: row.cloud, credential };
  }

  return {
    async connect(scope, input) {
      const errors: UserError[] = [];
      const copyIt = 'Copy it from the overview of the app registration in Entra.';
      if (!GUID.test(input.clientId))
        errors.push(invalid(['input', 'clientId'], 'The client id is not a GUID.', copyIt));
      if (!GUID.test(input.directoryId) && !DOMAIN.test(input.directoryId)) {
        errors.push(invalid(['input', 'directoryId'], 'The directory id is neither a GUID nor a domain name.', copyIt));
      }
      const checked = checkCredential(input, tools.clock());
      if ('code' in checked) errors.push(checked);
      if (errors.length > 0 || 'code' in checked) return errors;

      const app: MicrosoftAppRegistration = {
        clientId: input.clientId.toLowerCase(),
        directoryId: input.directoryId.toLowerCase(),
        cloud: input.cloud,
        credential: checked.credential,
      };
      graph.forget(app);
      try {
        await graph.forApp(app).grantedRoles();
      } catch (error) {
        const { code, message, remedy } = explain(error);
        const path =
          error instanceof GraphRequestError && code === 'CREDENTIALS_REJECTED'
            ? rejectedInput(error, app.credential)
            : undefined;
        return [{ code, message, remedy, ...(path === undefined ? {} : { path }) }];
      }

      const now = tools.clock();
      const data = {
        clientId: app.clientId,
        directoryId: app.directoryId,
        cloud: app.cloud,
        credentialKind: checked.credential.kind,
        credentialCiphertext: keys.encrypt(JSON.stringify(checked.credential), scope.db.tenantId),
        credentialHint: checked.hint,
        credentialExpiresAt: checked.expiresAt,
        updatedAt: now,
      };
      await scope.db.transaction(async (prisma) => {
        const before = await prisma.microsoftApp.findFirst();
        if (before === null) await prisma.microsoftApp.create({ data: { ...data, createdAt: now } });
        else await prisma.microsoftApp.updateMany({ data });
        const isOther =
          before === null ||
          before.clientId !== app.clientId ||
          before.directoryId !== app.directoryId ||
          before.cloud !== app.cloud;
        if (isOther) {
          const pending = {
            installStatus: 'INSTALL_PENDING',
            organizerObjectId: null,
            organizerDisplayName: null,
            organizerResolvedAt: null,
            updatedAt: now,
          } as const;
          const { count } = await prisma.teamsIntegration.updateMany({ data: pending });
          if (count === 0) await prisma.teamsIntegration.create({ data: { ...pending, createdAt: now } });
        }
        if (before !== null && isOther) await keepCredentialForRemoval(prisma, before);
        await planRetryOfBlocked(prisma);
        await planSubscriptions(prisma);
        await appendAudit(prisma, tools, scope.viewer, {
          operation: 'connect-microsoft-app',
          outcome: 'success',
          detail: {
            clientId: app.clientId,
            directoryId: app.directoryId,
            cloud: app.cloud,
            credentialKind: checked.credential.kind,
            replaced: before !== null,
          },
        });
      });
      return [];
    },

    find: (scope) =>
      scope.db.run((prisma) =>
        prisma.microsoftApp.findFirst({
          select: {
            clientId: true,
            directoryId: true,
            cloud: true,
            credentialKind: true,
            credentialHint: true,
            credentialExpiresAt: true,
          },
        }),
      ),

    async graphFor(scope) {
      const app = await registration(scope);
      return app === null ? null : graph.forApp(app);
    },

    async graphForFormer(scope, { appClientId, appDirectoryId, appCloud, formerCredentialCiphertext }) {
      const today = await registration(scope);
      const isToday =
        today?.clientId === appClientId && today.directoryId === appDirectoryId && today.cloud === appCloud;
      if (isToday) return graph.forApp(today);
      if (formerCredentialCiphertext === null) return null;
      try {
        return graph.forApp({
          clientId: appClientId,
          directoryId: appDirectoryId,
          cloud: appCloud,
          credential: JSON.parse(keys.decrypt(formerCredentialCiphertext, scope.db.tenantId)) as AppCredential,
        });
      } catch (error) {
        if (error instanceof SecretUnreadableError) return null;
        throw error;
      }
    },

    async refreshTokens(scope) {
      const app = await registration(scope);
      if (app !== null) graph.forget(app);
    },
  };
}
