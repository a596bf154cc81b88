/** Intl's formats take far longer to make than to use, and few zones and languages make up almost all mails. */
const KEPT = 200;

function cached<Value>(make: (timeZone: string, locale: string) => Value): typeof make {
  const values = new Map<string, Value>();
  return (timeZone, locale) => {
    const key = `${timeZone} ${locale}`;
    const known = values.get(key);
    if (known !== undefined) return known;
    const [oldest] = values.keys();
    if (values.size >= KEPT && oldest !== undefined) values.delete(oldest);
    const value = make(timeZone, locale);
    values.set(key, value);
    return value;
  };
}

const rangeFormat = cached(
  (timeZone, locale) => new Intl.DateTimeFormat([locale, 'en'], { dateStyle: 'full', timeStyle: 'short', timeZone }),
);

const zoneFormat = cached(
  (timeZone, locale) => new Intl.DateTimeFormat([locale, 'en'], { timeZoneName: 'long', timeZone }),
);

/** From when to when, as people of a locale write it. */
export function formatWhen(startsAt: Date, endsAt: Date, timeZone: string, locale: string): string {
  // Intl's narrow spaces all but vanish in the fonts of mail clients.
  return rangeFormat(timeZone, locale)
    .formatRange(startsAt, endsAt)
    .replaceAll('\u202f', '\u00a0')
    .replaceAll('\u2009', ' ');
}

/** What people of a locale call a time zone on that day, with its IANA name: two zones may share a name. */
export function formatZone(at: Date, timeZone: string, locale: string): string {
  const parts = zoneFormat(timeZone, locale).formatToParts(at);
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? timeZone;
  return name === timeZone ? name : `${name} (${timeZone})`;
}
