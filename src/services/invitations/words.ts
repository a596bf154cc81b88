/** What an invitation says, apart from what people typed. */
export interface InvitationWords {
  /** Before the subject of a meeting that is called off, with the colon that the language sets. */
  cancelled: string;
  cancelledNotice: string;
  /** To somebody who is no longer among the attendees of a meeting that takes place. */
  removedNotice: string;
  joinLinkFollows: string;
  join: string;
  linkHint: string;
  when: string;
  timeZone: string;
  organizer: string;
}

const WORDS = {
  en: {
    cancelled: 'Cancelled: ',
    cancelledNotice: 'This meeting was cancelled.',
    removedNotice: 'You are no longer invited to this meeting.',
    joinLinkFollows: 'The join link follows.',
    join: 'Join Teams Meeting',
    linkHint: 'If the button does not work, open this link:',
    when: 'When',
    timeZone: 'Time zone',
    organizer: 'Organizer',
  },
  de: {
    cancelled: 'Abgesagt: ',
    cancelledNotice: 'Diese Besprechung wurde abgesagt.',
    removedNotice: 'Sie sind zu dieser Besprechung nicht mehr eingeladen.',
    joinLinkFollows: 'Der Link zur Teilnahme folgt.',
    join: 'An Teams-Besprechung teilnehmen',
    linkHint: 'Falls die Schaltfläche nicht funktioniert, öffnen Sie diesen Link:',
    when: 'Wann',
    timeZone: 'Zeitzone',
    organizer: 'Organisator',
  },
  fr: {
    cancelled: 'Annulé : ',
    cancelledNotice: 'Cette réunion a été annulée.',
    removedNotice: 'Vous n’êtes plus invité à cette réunion.',
    joinLinkFollows: 'Le lien pour participer suivra.',
    join: 'Rejoindre la réunion Teams',
    linkHint: 'Si le bouton ne fonctionne pas, ouvrez ce lien :',
    when: 'Quand',
    timeZone: 'Fuseau horaire',
    organizer: 'Organisateur',
  },
  es: {
    cancelled: 'Cancelada: ',
    cancelledNotice: 'Esta reunión se ha cancelado.',
    removedNotice: 'Ya no está invitado a esta reunión.',
    joinLinkFollows: 'El enlace para unirse se enviará más adelante.',
    join: 'Unirse a la reunión de Teams',
    linkHint: 'Si el botón no funciona, abra este enlace:',
    when: 'Cuándo',
    timeZone: 'Zona horaria',
    organizer: 'Organizador',
  },
  nl: {
    cancelled: 'Geannuleerd: ',
    cancelledNotice: 'Deze vergadering is geannuleerd.',
    removedNotice: 'U bent niet meer uitgenodigd voor deze vergadering.',
    joinLinkFollows: 'De link om deel te nemen volgt nog.',
    join: 'Deelnemen aan Teams-vergadering',
    linkHint: 'Werkt de knop niet, open dan deze link:',
    when: 'Wanneer',
    timeZone: 'Tijdzone',
    organizer: 'Organisator',
  },
} satisfies Record<string, InvitationWords>;

export type InvitationLanguage = keyof typeof WORDS;

export const INVITATION_LANGUAGES = Object.keys(WORDS) as InvitationLanguage[];

/** The words in the language of a locale, whatever its region or script; English where there are none. */
export function wordsFor(locale: string): { language: InvitationLanguage; words: InvitationWords } {
  const asked = new Intl.Locale(locale).language;
  const language = INVITATION_LANGUAGES.find((known) => known === asked) ?? 'en';
  return { language, words: WORDS[language] };
}
