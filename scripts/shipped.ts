import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What package-lock.json says of an installed package. */
export interface LockedPackage {
  version?: string;
  license?: string;
  integrity?: string;
  resolved?: string;
  dev?: boolean;
  /** Needed by development, and optional for production. */
  devOptional?: boolean;
  optional?: boolean;
}

/** Every package of a package-lock.json, by the folder that it is installed in. */
export type LockedPackages = Record<string, LockedPackage>;

/** A package of which something goes to users. */
export interface ShippedPackage {
  name: string;
  version: string;
  /** As the package itself has it: an SPDX expression, if it is good. */
  licence: string | undefined;
}

/** @param root the folder of package-lock.json */
export function lockedPackages(root: string): LockedPackages {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: LockedPackages;
  };
  const { '': _root, ...installed } = packages;
  return installed;
}

/** Whether `npm ci --omit=dev --omit=optional` installs it, as the Dockerfile does. */
export const isForProduction = ({ dev, devOptional, optional }: LockedPackage) => !(dev || devOptional || optional);

export const nameOf = (folder: string) => folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);

/**
 * All that is in the image: the packages that production installs, and those that the explorer's bundle is made of,
 * which are development's to npm.
 *
 * @param bundled what Vite tells of the bundle, in explorer/dist/licences.json
 */
export function shippedPackages(
  locked: LockedPackages,
  bundled: readonly { name: string; version: string; identifier: string | null }[],
): ShippedPackage[] {
  const all = [
    ...Object.entries(locked)
      .filter(([, one]) => isForProduction(one))
      .map(([folder, { version = '', license }]) => ({ name: nameOf(folder), version, licence: license })),
    ...bundled.map(({ name, version, identifier }) => ({ name, version, licence: identifier ?? undefined })),
  ];
  return [...new Map(all.map((one) => [`${one.name}@${one.version}`, one])).values()];
}

/** The same of this project, as it is installed and bundled. */
export function shippedHere(root = '.'): ShippedPackage[] {
  return shippedPackages(
    lockedPackages(root),
    JSON.parse(readFileSync(join(root, 'explorer/dist/licences.json'), 'utf8')) as Parameters<
      typeof shippedPackages
    >[1],
  );
}
