import { GraphFailure } from './errors.ts';

/** Some of the Windows names that mailboxes know, with an IANA zone of the same rules. Source: CLDR. */
const WINDOWS_ZONES: Readonly<Record<string, string>> = {
  utc: 'Etc/UTC',
  'tzone://microsoft/utc': 'Etc/UTC',
  'greenwich standard time': 'Atlantic/Reykjavik',
  'gmt standard time': 'Europe/London',
  'w. europe standard time': 'Europe/Berlin',
  'romance standard time': 'Europe/Paris',
  'central europe standard time': 'Europe/Budapest',
  'central european standard time': 'Europe/Warsaw',
  'fle standard time': 'Europe/Kyiv',
  'eastern standard time': 'America/New_York',
  'central standard time': 'America/Chicago',
  'mountain standard time': 'America/Denver',
  'pacific standard time': 'America/Los_Angeles',
  'india standard time': 'Asia/Kolkata',
  'china standard time': 'Asia/Shanghai',
  'tokyo standard time': 'Asia/Tokyo',
  'aus eastern standard time': 'Australia/Sydney',
  'new zealand standard time': 'Pacific/Auckland',
};

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Throws 400 `TimeZoneNotSupportedException` unless the name is an IANA zone or a Windows one known here. */
export function checkTimeZone(name: string): void {
  formatterFor(name);
}

/** Wall time in a zone as Graph writes it: seven fractional digits, no offset. */
export function wallTime(instant: Date, zone: string): string {
  return `${new Date(instant.getTime() + offsetMs(instant, zone)).toISOString().slice(0, -1)}0000`;
}

/** The instant of a wall time. In the hour that a clock skips, the time after the jump; in the doubled one, the first. */
export function instantOf(wall: Date, zone: string): Date {
  const before = offsetMs(new Date(wall.getTime() - 24 * 3_600_000), zone);
  const first = new Date(wall.getTime() - before);
  const after = offsetMs(first, zone);
  const second = new Date(wall.getTime() - after);
  return offsetMs(second, zone) === after ? second : first;
}

function offsetMs(instant: Date, zone: string): number {
  const parts = Object.fromEntries(
    formatterFor(zone)
      .formatToParts(instant)
      .map((part) => [part.type, Number(part.value)]),
  ) as Record<'year' | 'month' | 'day' | 'hour' | 'minute' | 'second', number>;
  const wall = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second);
  return wall - Math.floor(instant.getTime() / 1000) * 1000;
}

function formatterFor(name: string): Intl.DateTimeFormat {
  const cached = formatters.get(name);
  if (cached !== undefined) return cached;
  const zone = WINDOWS_ZONES[name.toLowerCase()] ?? name;
  try {
    // Intl takes bare offsets such as `+01:00` too; Exchange does not.
    if (!/^[a-z]/i.test(zone)) throw new RangeError(zone);
    const formatter = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'gregory',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formatters.set(name, formatter);
    return formatter;
  } catch {
    throw new GraphFailure(
      400,
      'TimeZoneNotSupportedException',
      `A valid TimeZone value must be specified. The following TimeZone value is not supported: '${name}'.`,
    );
  }
}
