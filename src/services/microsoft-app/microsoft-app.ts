import { isDeepStrictEqual } from 'node:util';
import type { MicrosoftApp } from '../../generated/prisma/client.ts';
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
import { lockSetUp } from '../settings/lock-set-up.ts';
import { type CredentialInput, checkCredential, DOMAIN, GUID, rejectedInput } from './credential.ts';
import { adoptedHome, isKnownByDomainOnly, moveHome } from './home.ts';
import { type KeyRing, SecretUnreadableError } from './key-ring.ts';

export interface ConnectMicrosoftAppInput extends CredentialInput {
  clientId: string;
  directoryId: string;
  cloud: MicrosoftCloudName;
}

/** What may be shown of a connected app: never the credential. */
export interface ConnectedMicrosoftApp {
  clientId: string;
  directoryId: string;
  cloud: MicrosoftCloudName;
  credentialKind: 'CLIENT_SECRET' | 'CERTIFICATE';
  credentialHint: string;
  credentialExpiresAt: Date | null;
  /** The object id of the app's service principal in the directory; null where the token did not say it. */
  servicePrincipalId: string | null;
}

/** An app as it was when it made something, and its credential if it was replaced since. */
export interface FormerApp {
  appClientId: string;
  appDirectoryId: string;
  appCloud: MicrosoftCloudName;
  formerCredentialCiphertext: string | null;
}

type AppIdentity = Pick<ConnectedMicrosoftApp, 'clientId' | 'directoryId' | 'cloud'>;

export interface MicrosoftAppService {
  /**
   * Replaces the tenant's app registration after Microsoft gave a token for the new one; a rejected credential
   * leaves everything as it was, the tokens too. Another app or directory makes the organizer unresolved and the
   * install pending. Meetings stay; those of another directory are only out of reach until it is connected again.
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

function isSameApp(a: AppIdentity, b: AppIdentity): boolean {
  return a.clientId === b.clientId && a.directoryId === b.directoryId && a.cloud === b.cloud;
}

export function createMicrosoftAppService(
  graph: GraphService,
  keys: KeyRing,
  tools: ServiceTools,
): MicrosoftAppService {
  function registrationOf(scope: Scope, row: MicrosoftApp): MicrosoftAppRegistration {
    const credential = JSON.parse(keys.decrypt(row.credentialCiphertext, scope.db.tenantId)) as AppCredential;
    return { clientId: row.clientId, directoryId: row.directoryId, cloud: row.cloud, credential };
  }

  async function registration(scope: Scope): Promise<MicrosoftAppRegistration | null> {
    const row = await scope.db.run((prisma) => prisma.microsoftApp.findFirst());
    return row === null ? null : registrationOf(scope, row);
  }

  /**
   * The app that is connected, with its directory's object id: where an earlier release did not note it, the app itself
   * is asked, as far as its credential still works.
   */
  async function formerApp(scope: Scope): Promise<MicrosoftApp | null> {
    const row = await scope.db.run((prisma) => prisma.microsoftApp.findFirst());
    if (row === null || !isKnownByDomainOnly(row)) return row;
    try {
      return { ...row, directoryObjectId: await graph.forApp(registrationOf(scope, row)).directoryId() };
    } catch (error) {
      if (error instanceof GraphRequestError || error instanceof SecretUnreadableError) return row;
      throw error;
    }
  }

  /** Drops the tokens of the credential that was replaced; the same one was given a new token already. */
  function forgetReplaced(scope: Scope, before: MicrosoftApp, app: MicrosoftAppRegistration): void {
    try {
      const replaced = registrationOf(scope, before);
      if (!isDeepStrictEqual(replaced, app)) graph.forgetCredential(replaced);
    } catch (error) {
      // A credential that cannot be read has no tokens here either.
      if (!(error instanceof SecretUnreadableError)) throw error;
    }
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
      // Tokens of today's credential stay; this one may be cached from before, and then proves nothing.
      graph.forgetCredential(app);
      const client = graph.forApp(app);
      let ids: { directoryObjectId: string | null; servicePrincipalId: string | null };
      try {
        ids = {
          directoryObjectId: await client.directoryId(),
          servicePrincipalId: await client.servicePrincipalId(),
        };
      } catch (error) {
        const { code, message, remedy } = explain(error);
        const path =
          error instanceof GraphRequestError && code === 'CREDENTIALS_REJECTED'
            ? rejectedInput(error, app.credential)
            : undefined;
        return [{ code, message, remedy, ...(path === undefined ? {} : { path }) }];
      }

      const former = await formerApp(scope);
      const now = tools.clock();
      const data = {
        clientId: app.clientId,
        directoryId: app.directoryId,
        cloud: app.cloud,
        credentialKind: checked.credential.kind,
        credentialCiphertext: keys.encrypt(JSON.stringify(checked.credential), scope.db.tenantId),
        credentialHint: checked.hint,
        credentialExpiresAt: checked.expiresAt,
        ...ids,
        updatedAt: now,
      };
      const before = await scope.db.transaction(async (prisma) => {
        await lockSetUp(prisma);
        const before = await prisma.microsoftApp.findFirst();
        if (before === null) await prisma.microsoftApp.create({ data: { ...data, createdAt: now } });
        else await prisma.microsoftApp.updateMany({ data });
        const isOther = before === null || !isSameApp(before, app);
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
        if (before !== null) {
          const isAsked = former !== null && isSameApp(former, before);
          const directoryObjectId = before.directoryObjectId ?? (isAsked ? former.directoryObjectId : null);
          await moveHome(prisma, { ...before, directoryObjectId }, { ...app, ...ids });
        } else {
          const imported = await adoptedHome(prisma);
          if (imported !== null) await moveHome(prisma, imported, { ...app, ...ids });
        }
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
        return before;
      });
      if (before !== null) forgetReplaced(scope, before, app);
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
            servicePrincipalId: true,
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
