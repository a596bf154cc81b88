/** Where the demo plays and as whom. */
export interface Stage {
  gatewayUrl: string;
  simulatorUrl: string;
  tokens: {
    admin: string;
    technician: string;
    mobile: string;
    client: string;
    otherClient: string;
    otherTenant: string;
  };
}

export interface Step {
  title: string;
  /** Does the step and returns what a reader should see of it; throws when it does not hold. */
  run(): Promise<string>;
}

// The simulator's demo world, as an admin would read it in Entra.
export const DIRECTORY_ID = '11111111-1111-4111-8111-111111111111';
export const CLIENT_ID = 'aaaaaaaa-0000-4000-8000-000000000001';
export const ORGANIZER = 'scheduling@acme.example';
export const SECRET = 'simulator-secret-tenant-a';
