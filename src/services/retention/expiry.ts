const DAY_MS = 24 * 3_600_000;

/** What was made before this is to be deleted; null where everything is kept. */
export function expiredBefore(settings: { artifactRetentionDays: number | null } | null, now: Date): Date | null {
  const days = settings?.artifactRetentionDays ?? 0;
  return days > 0 ? new Date(now.getTime() - days * DAY_MS) : null;
}
