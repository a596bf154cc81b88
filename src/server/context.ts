import type { Database } from '../db/database.ts';
import type { GraphQLContext, Loaders } from '../resolvers/context.ts';
import type { Scope } from '../services/scope.ts';
import type { Services } from '../services/services.ts';
import type { Settings } from '../services/settings/settings.ts';
import type { Viewer } from '../services/viewer.ts';
import { unauthenticated } from './errors.ts';
import { createLoaders } from './loaders.ts';

/**
 * The context of one request. Scope and loaders are made when they are first used, and only for a viewer. Apollo
 * copies the context property by property, which private `#` members would not survive.
 */
export class RequestContext implements GraphQLContext {
  readonly viewer: Viewer | null;
  readonly services: Services;
  private readonly database: Database;
  private madeScope: Scope | undefined;
  private madeLoaders: Loaders | undefined;
  private readSettings: Promise<Settings | null> | undefined;

  constructor(viewer: Viewer | null, services: Services, database: Database) {
    this.viewer = viewer;
    this.services = services;
    this.database = database;
  }

  get scope(): Scope {
    if (this.viewer === null) throw unauthenticated();
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
