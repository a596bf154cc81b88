import type { ExecutionResult, GraphQLError } from 'graphql';
import type { Database } from '../db/database.ts';
import type { GraphQLContext, Loaders } from '../resolvers/context.ts';
import type { Scope } from '../services/scope.ts';
import type { Services } from '../services/services.ts';
import type { Settings } from '../services/settings/settings.ts';
import type { Viewer } from '../services/viewer.ts';
import { type Authenticate, IdentityProviderUnavailableError } from './authenticator.ts';
import { identityProviderAway, unauthenticated } from './errors.ts';
import { createLoaders } from './loaders.ts';

/**
 * The context of one request. Scope and loaders are made when they are first used, and only for a viewer. Apollo
 * copies the context property by property, which private `#` members would not survive.
 */
export class RequestContext implements GraphQLContext {
  /** What came of the operation, where it was executed before Apollo was asked. */
  executed: ExecutionResult | undefined;
  readonly viewer: Viewer | null;
  readonly services: Services;
  private readonly database: Database;
  private madeScope: Scope | undefined;
  private madeLoaders: Loaders | undefined;
  private readSettings: Promise<Settings | null> | undefined;

  private readonly isProviderAway: boolean;

  constructor(viewer: Viewer | null | 'provider-away', services: Services, database: Database) {
    this.isProviderAway = viewer === 'provider-away';
    this.viewer = viewer === 'provider-away' ? null : viewer;
    this.services = services;
    this.database = database;
  }

  refusal(): GraphQLError {
    return this.isProviderAway ? identityProviderAway() : unauthenticated();
  }

  get scope(): Scope {
    if (this.viewer === null) throw this.refusal();
    this.madeScope ??= { viewer: this.viewer, db: this.database.forTenant(this.viewer.tenantId) };
    return this.madeScope;
  }

  get loaders(): Loaders {
    this.madeLoaders ??= createLoaders(this.services, this.scope);
    return this.madeLoaders;
  }

  settings(): Promise<Settings | null> {
    this.readSettings ??= this.services.settings.find(this.scope);
    return this.readSettings;
  }
}

/** Makes the context of a request. What needs no viewer is answered even while nobody's token can be judged. */
export async function createContext(
  authorization: string | undefined,
  authenticate: Authenticate,
  services: Services,
  database: Database,
): Promise<RequestContext> {
  try {
    return new RequestContext(await authenticate(authorization), services, database);
  } catch (error) {
    if (error instanceof IdentityProviderUnavailableError)
      return new RequestContext('provider-away', services, database);
    throw error;
  }
}
