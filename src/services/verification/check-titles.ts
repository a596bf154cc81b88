const TITLES: Readonly<Record<string, string>> = {
  directory: 'Directory at Microsoft',
  app: 'App registration at Microsoft',
  secret: 'Credential at Microsoft',
  roles: 'Permissions in the token',
  organizer: 'Organizer in the directory',
  'organizer-account': 'Account of the organizer',
  'organizer-licence': 'Licence of the organizer',
  'exchange-scope': 'Mailbox scope in Exchange',
  mailbox: 'Mailbox of the organizer',
  provider: 'Teams in the calendar',
  'mailbox-outside': 'A mailbox that should be out of reach',
  meeting: 'Making and removing a meeting',
  policy: 'Teams application access policy',
  recordings: 'Reading recordings',
  'transcript-access': 'Switch for reading transcripts',
  transcripts: 'Reading transcripts',
  'transcript-attribution': 'Switch for reading who spoke',
  webhook: 'Notifications of Microsoft',
};

/** What a check is called before people; its name is for programs. */
export function titleOf(check: string): string {
  return TITLES[check] ?? check.replaceAll('-', ' ');
}
