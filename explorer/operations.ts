/** What the tabs are filled with besides what is the same everywhere: a tenant's own values. */
export interface DemoTenant {
  clientId: string;
  directoryId: string;
  clientSecret: string;
  organizer: string;
  appointmentId: string;
  clientOfMeeting: string;
  attendee: string;
}

/** An operation that is ready to be run; the tab is named after it. */
export interface ReadyOperation {
  query: string;
  variables: string;
}

/** What a reader has to replace, where no demo tenant is at hand. */
const PLACEHOLDERS: DemoTenant = {
  clientId: '<application (client) id>',
  directoryId: '<directory (tenant) id>',
  clientSecret: '<value of the client secret>',
  organizer: 'scheduling@your-company.example',
  appointmentId: '<id of an appointment in the PSA>',
  clientOfMeeting: '<id of a client in the PSA>',
  attendee: 'somebody@your-client.example',
};

const USER_ERRORS = 'userErrors { code message path remedy }';

const CONNECT = `# Runbook, step 1: connect the app.
# Microsoft is asked for a token.
# The secret never comes back.
mutation Connect(
  $input: ConnectMicrosoftAppInput!
) {
  connectMicrosoftApp(input: $input) {
    settings {
      installStatus
      microsoftApp {
        clientId
        directoryId
        cloud
        credentialHint
        credentialExpiresAt
      }
    }
    ${USER_ERRORS}
  }
}
`;

const SAVE = `# Step 6: save the organizer and
# switch on. Steps 2 to 5 are done
# at Microsoft.
mutation Save(
  $input: UpdateTeamsSettingsInput!
) {
  updateTeamsSettings(input: $input) {
    settings {
      installStatus
      organizer {
        userPrincipalName
        objectId
        displayName
      }
      sendMeetingInvites
      showArtifactsInClientPortal
    }
    ${USER_ERRORS}
  }
}
`;

const VERIFY = `# Step 7: prove it by real calls.
# A check that is not PASS says
# what to do.
mutation Verify {
  verifyTeamsOrganizer {
    verification {
      outcome
      checks {
        name
        status
        detail
        remedy
        graphRequestId
      }
    }
    ${USER_ERRORS}
  }
}
`;

const DIAGNOSE = `# Look at everything that a working
# set-up needs. Nothing is changed.
mutation Diagnose {
  runTeamsDiagnostics {
    report {
      overall
      recommendations
      steps {
        name
        title
        status
        detail
        remedy
      }
      permissions {
        name
        grantedInToken
        usedFor
      }
    }
    ${USER_ERRORS}
  }
}
`;

const CREATE = `# Make a meeting of an appointment.
# A second run makes no second one.
mutation Create(
  $input: CreateTeamsMeetingInput!
) {
  createTeamsMeeting(input: $input) {
    meeting {
      id
      status
      joinUrl
      attendees { emailAddress response }
      failure { code message remedy }
    }
    ${USER_ERRORS}
  }
}
`;

const REFRESH = `# After the call: fetch recordings
# and transcripts. Run Meetings
# first and put the meeting's id
# into the variables.
mutation Refresh(
  $input: RefreshTeamsMeetingArtifactsInput!
) {
  refreshTeamsMeetingArtifacts(input: $input) {
    newRecordings
    newTranscripts
    meeting {
      recordings { id durationSeconds contentUrl }
      transcripts { id vttUrl }
      artifactCapture {
        state
        nextAttemptAt
        failure { code message remedy }
      }
    }
    ${USER_ERRORS}
  }
}

query Meetings {
  teamsMeetings(first: 10) {
    edges {
      node { id subject startsAt status }
    }
  }
}
`;

const SEARCH = `# What was said, in all transcripts
# that the viewer may see.
query Search($words: String!) {
  searchTranscripts(query: $words, first: 10) {
    edges {
      node {
        excerpt
        cue { startSeconds speaker }
        transcript { meeting { id subject } }
      }
    }
  }
}
`;

function tab(query: string, variables: object = {}): ReadyOperation {
  return { query, variables: Object.keys(variables).length === 0 ? '' : JSON.stringify(variables, null, 2) };
}

/** The hour of the example meeting: tomorrow at nine, UTC. */
function exampleTimes(now: Date): { startsAt: string; endsAt: string } {
  const at = (hour: number) =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1, hour)).toISOString();
  return { startsAt: at(9), endsAt: at(10) };
}

/**
 * The tabs that the explorer opens with, in the runbook's order.
 * @param demo the values of a demo tenant; null: placeholders that say what belongs there
 */
export function readyOperations(demo: DemoTenant | null, now: Date): ReadyOperation[] {
  const values = demo ?? PLACEHOLDERS;
  const { clientId, directoryId, clientSecret, organizer } = values;
  return [
    tab(CONNECT, { input: { clientId, directoryId, cloud: 'GLOBAL', clientSecret } }),
    tab(SAVE, { input: { organizerUserPrincipalName: organizer, installStatus: 'ACTIVE' } }),
    tab(VERIFY),
    tab(DIAGNOSE),
    tab(CREATE, {
      input: {
        appointmentId: values.appointmentId,
        subject: 'Quarterly review',
        ...exampleTimes(now),
        clientId: values.clientOfMeeting,
        attendees: [{ emailAddress: values.attendee }],
      },
    }),
    tab(REFRESH, { input: { meetingId: '<id of the meeting>' } }),
    tab(SEARCH, { words: 'printer' }),
  ];
}
