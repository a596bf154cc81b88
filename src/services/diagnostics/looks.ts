import type { BlobStore } from '../../blobs/blob-store.ts';
import type { DatabaseFacts } from '../../db/facts.ts';
import type { KeyRing } from '../microsoft-app/key-ring.ts';
import type { SubscriptionsOf } from '../notifications/subscriptions-of.ts';
import type { ServiceTools } from '../scope.ts';
import type { SettingsService } from '../settings/settings.ts';
import type { Look } from './look.ts';
import { blobStoreLook } from './steps/blob-store.ts';
import { captureLook } from './steps/capture.ts';
import { clockLook } from './steps/clock.ts';
import { databaseLook } from './steps/database.ts';
import { encryptionKeysLook } from './steps/encryption-keys.ts';
import { meetingsLook } from './steps/meetings.ts';
import { microsoftLook } from './steps/microsoft.ts';
import { permissionsLook } from './steps/permissions.ts';
import { queueLook } from './steps/queue.ts';
import { setupLooks } from './steps/setup.ts';
import { subscriptionsLook } from './steps/subscriptions.ts';
import { verificationLook } from './steps/verification.ts';
import { webhookLook } from './steps/webhook.ts';

export interface LookDependencies {
  keys: KeyRing;
  settings: Pick<SettingsService, 'latestVerification'>;
  subscriptionsOf: SubscriptionsOf;
  publicUrl: string;
  blobs: BlobStore | undefined;
  inspectDatabase: () => Promise<DatabaseFacts>;
}

/** Everything that a diagnosis looks at, in the order of the report: the set-up, Microsoft, what goes on, the installation. */
export function makeLooks(deps: LookDependencies, tools: ServiceTools): Look[] {
  return [
    ...setupLooks(tools),
    permissionsLook,
    microsoftLook(deps.settings, tools),
    verificationLook(deps.settings, tools),
    subscriptionsLook(deps.subscriptionsOf, tools),
    webhookLook(deps, tools),
    meetingsLook(tools),
    captureLook(tools),
    queueLook,
    encryptionKeysLook(deps.keys),
    blobStoreLook(deps.blobs, tools),
    clockLook(deps.inspectDatabase, tools),
    databaseLook(deps.inspectDatabase),
  ];
}
