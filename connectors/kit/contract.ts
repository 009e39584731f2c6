import type { z } from 'zod';

/** A capability is the name of a method that a session implements; what is not implemented becomes a human task. */
export const CAPABILITIES = [
  'check',
  'listAccounts',
  'findAccounts',
  'getAccount',
  'createAccount',
  'suspendAccount',
  'restoreAccount',
  'removeAccount',
  'resetCredentials',
  'revokeAccess',
  'revokeDevice',
  'grant',
  'withdraw',
  'issueCertificate',
  'getLockdown',
  'lockDown',
  'liftLockdown',
  'listComputers',
  'listRecoveryKeys',
  'revealRecoveryKey',
  'readDiskEncryption',
  'readDeviceStatus',
  'lockComputer',
  'unlockComputer',
  'wipeComputer',
] as const;

export type Capability = (typeof CAPABILITIES)[number];

/** Who the account is for. Everything a connector may write about a person; a personal address is never among it. */
export interface AccountHolder {
  /** Quartermaster's own id of the person (UUID). */
  personId: string;
  givenName: string;
  familyName: string;
  displayName: string;
  /** The corporate address; accounts are created on this one and no other. */
  email: string;
}

/**
 * Our own mark, written to the tool with a create (SCIM `externalId`, a role's comment, …). One mark stands for one
 * person, tool and purpose: it is how a create whose outcome was lost finds its account again.
 */
export type Mark = string;

/** How a tool's account is named: by the tool's stable id once it is known; never by e-mail address alone. */
export interface AccountRef {
  externalId: string;
  username: string;
}

/** What identifies a person's accounts at a tool. All that is given is looked for; each hit says how it matched. */
export interface AccountQuery {
  mark: Mark;
  username: string;
  email: string;
}

export interface GrantRef {
  kind: 'group' | 'role' | 'licence';
  /** The tool's name for it, as written in the access policy. */
  name: string;
}

/**
 * Live things of an account. `seen: false` is an honest answer: the tool can't show them; then `residualUntil` says
 * until when an old one may still be honoured, and `null` that nobody knows.
 */
export type LiveThings =
  { seen: true; live: number; ids?: readonly string[] } | { seen: false; residualUntil: Date | null; because: string };

/** An account as the tool shows it now. */
export interface ObservedAccount extends AccountRef {
  mark: Mark | null;
  email: string | null;
  state: 'active' | 'suspended';
  sessions: LiveThings;
  /** Tokens, keys and certificates beside the password. */
  credentials: LiveThings;
  /** Changes with each reset of the credentials; what the reset wrote is read back by comparing it. Null: can't be seen. */
  credentialVersion: string | null;
  /** Undefined: this look didn't ask for grants. */
  grants?: readonly GrantRef[];
}

export interface FoundAccount {
  account: ObservedAccount;
  matchedBy: 'mark' | 'username' | 'email';
}

/** One page of a snapshot. `complete` is true only on the last page of a listing that saw everything there is. */
export interface AccountPage {
  accounts: readonly ObservedAccount[];
  /** Opaque; null on the last page. */
  next: string | null;
  complete: boolean;
}

/** The answer to an act: a closed union. An act sets an absolute state, so repeating one is harmless. */
export type ActResult<T = unknown> =
  | { outcome: 'done'; value: T; sideEffects: readonly string[] }
  | { outcome: 'already'; value: T; sideEffects: readonly string[] }
  | { outcome: 'in-progress'; handle: string; sideEffects: readonly string[] }
  | { outcome: 'action-required'; instructions: string; sideEffects: readonly string[] };

export interface CreatedAccount extends AccountRef {
  /** The version of the credentials this create wrote (see `ObservedAccount.credentialVersion`). */
  credentialVersion: string | null;
}

export interface NewAccount {
  mark: Mark;
  username: string;
  holder: AccountHolder;
  /** The first password, made and sealed by the engine before the call; the person gets it by a one-time link. */
  password: string;
}

export interface CertificateRequest {
  /** One line as in `id_ed25519.pub`; the private half never leaves the device. */
  publicKey: string;
  /** Which of the person's devices it is: what `revokeDevice` is asked for later. */
  deviceExternalId: string;
}

export interface IssuedCertificate {
  /** One line as in `id_ed25519-cert.pub`. */
  certificate: string;
  serial: string;
  validUntil: Date;
}

/** A computer that the tool knows, by the tool's own stable id. */
export interface ObservedComputer {
  externalId: string;
  name: string;
  /** Of its maker; null where the tool doesn't know it, undefined where it never does. */
  serial?: string | null;
  operatingSystem: string | null;
  isEnabled: boolean;
  /** When it last signed in, as far as the tool writes that down. */
  lastSeenAt: Date | null;
  /** The key that the tool keeps for it and that is to be kept here too, by what it opens; undefined: none is. */
  recoveryKey?: 'filevault' | 'bitlocker' | 'luks';
}

export interface ComputerPage {
  computers: readonly ObservedComputer[];
  next: string | null;
  /** As in `AccountPage`. */
  complete: boolean;
}

/** That a recovery key is kept, and for which volume; never the key itself. */
export interface RecoveryKeyRecord {
  externalId: string;
  /** What the locked computer shows, for somebody to read out. */
  keyId: string;
  volumeId: string | null;
  storedAt: Date | null;
}

export interface RevealedKey {
  key: string;
  /** When the tool came to have it, which changes with every new key; null where it doesn't say. */
  storedAt: Date | null;
}

/** What a device manager knows of a computer's disks. `unknown` whenever it can't tell: never a "no" for an answer that is missing. */
export interface DiskSeen {
  state: 'encrypted' | 'converting' | 'suspended' | 'not_encrypted' | 'unknown';
  /** Why it is unknown. */
  why?: string;
  /** When the agent looked, not when we asked; null: it never did. */
  observedAt: Date | null;
  /** The program on the computer that looked. */
  agent: { name: string; version: string } | null;
  platform: 'macos' | 'windows' | 'linux' | null;
  raw: Readonly<Record<string, unknown>>;
}

export const COMPUTER_ORDERS = ['lock', 'unlock', 'wipe'] as const;
export type ComputerOrder = (typeof COMPUTER_ORDERS)[number];

/** Whether a device manager would take an order for a computer as it stands now. `because` is a sentence for people. */
export type OrderReadiness =
  | { takes: 'now' }
  /** What is pending there has to be over first. */
  | { takes: 'later'; because: string }
  /** The computer has to be unlocked first. */
  | { takes: 'once-unlocked'; because: string }
  /** Not before a person did what it says. */
  | { takes: 'never'; because: string };

/** Where a computer stands with its device manager. */
export interface DeviceStatus {
  /** Of its maker; null where the manager doesn't know it. */
  serial: string | null;
  isOnline: boolean;
  lastSeenAt: Date | null;
  /** What the computer is shown to be. This alone is proof. */
  state: 'unlocked' | 'locked' | 'wiped' | 'unknown';
  /** Sent, and not done yet; null: nothing is. */
  pending: ComputerOrder | null;
  orders: Readonly<Record<ComputerOrder, OrderReadiness>>;
  /** What people asked for, newest first. That something was asked for proves nothing. */
  requests: readonly { what: ComputerOrder; at: Date | null; by: string | null }[];
}

export interface CheckReport {
  /** Who the tool says we are: the service's own principal, which is never a target. */
  principal: string;
  version: string | null;
  /** What this tool could do but these credentials may not; each names the permission that is missing. */
  missing: readonly { capability: Capability; permission: string; remedy: string }[];
}

/**
 * One conversation with a tool, on a connection of its own, from `open` to `close`. A read-back always opens another
 * one. Every method throws `ToolError` and nothing else. A method that isn't there is a capability the tool lacks.
 */
export interface ToolSession {
  check(): Promise<CheckReport>;

  /** Everything the tool holds; `next` from the page before, or null for the first. */
  listAccounts?(next: string | null): Promise<AccountPage>;
  findAccounts(query: AccountQuery): Promise<readonly FoundAccount[]>;
  /** `null` means: looked up where the answer can be trusted, and the account isn't there. Includes grants. */
  getAccount(ref: AccountRef): Promise<ObservedAccount | null>;

  /** Looks for its own mark first and answers `already` when it finds it. An account is born able to sign in. */
  createAccount?(want: NewAccount): Promise<ActResult<CreatedAccount>>;
  /** No sign-in afterwards, and live sessions and tokens ended as far as the tool can. */
  suspendAccount?(ref: AccountRef): Promise<ActResult>;
  restoreAccount?(ref: AccountRef): Promise<ActResult>;
  removeAccount?(ref: AccountRef): Promise<ActResult>;
  /** Sets a new password and makes what was issued before (tokens, keys, sessions) worthless. Doesn't restore. */
  resetCredentials?(ref: AccountRef, password: string): Promise<ActResult<{ credentialVersion: string | null }>>;
  /** Ends sessions, tokens and keys, and leaves the account as it is. */
  revokeAccess?(ref: AccountRef): Promise<ActResult>;
  /** Ends one device's credentials and sessions and keeps the person's other ones. */
  revokeDevice?(ref: AccountRef, deviceExternalId: string): Promise<ActResult>;
  grant?(ref: AccountRef, grant: GrantRef): Promise<ActResult>;
  withdraw?(ref: AccountRef, grant: GrantRef): Promise<ActResult>;

  /** Signs a device's public key for a short while. Refused with `conflict` for a suspended account or a revoked device. */
  issueCertificate?(ref: AccountRef, request: CertificateRequest): Promise<ActResult<IssuedCertificate>>;
  /** Who may be in while a lockdown lasts (user names); null when there is none. */
  getLockdown?(): Promise<{ allowed: readonly string[] } | null>;
  /** Everybody out but these people, at once: live sessions end, and nobody else signs in until it is lifted. */
  lockDown?(allowed: readonly AccountRef[]): Promise<ActResult>;
  /** What was suspended or revoked meanwhile stays so. */
  liftLockdown?(): Promise<ActResult>;

  listComputers?(next: string | null): Promise<ComputerPage>;
  /** Of one computer, by its stable id. Reading these is no reveal. */
  listRecoveryKeys?(computerExternalId: string): Promise<readonly RecoveryKeyRecord[]>;
  /** The key itself. Whoever calls this writes down who asked, before. */
  revealRecoveryKey?(recoveryKeyExternalId: string): Promise<RevealedKey>;
  /** Of one computer, as the tool knows it now. Throws `not-found` for one that isn't there. */
  readDiskEncryption?(computerExternalId: string): Promise<DiskSeen>;
  readDeviceStatus?(computerExternalId: string): Promise<DeviceStatus>;
  /**
   * Hands the order to the tool, which keeps it until the computer comes by: `in-progress`, also when it is kept already.
   * What the computer did is seen in its status alone. Throws `conflict` where it is taken later or once unlocked.
   */
  lockComputer?(computerExternalId: string): Promise<ActResult>;
  unlockComputer?(computerExternalId: string): Promise<ActResult>;
  wipeComputer?(computerExternalId: string): Promise<ActResult>;

  close(): Promise<void>;
}

/** What a call may take and how it is known at the tool. */
export interface CallContext {
  /** Aborted at the call's deadline, and when the worker loses its lease. */
  signal: AbortSignal;
  /** When the whole call, reading the answer included, must be over. */
  deadline: Date;
  /** The attempt's id: sent to the tool where its protocol has a place for it, so that its log can be matched to ours. */
  attemptId: string;
}

export interface ToolConnection<Settings> {
  settings: Settings;
  /** Secret fields by name, unsealed for this call only. */
  secrets: Readonly<Record<string, string>>;
  /** Where the secrets went when they were saved (`Connector.destination`); `open` refuses to send them elsewhere. */
  secretsSavedFor?: string;
  /** Private, loopback and link-local addresses are refused unless the tool's configuration allows them. */
  allowPrivateAddresses: boolean;
  call: CallContext;
}

/** A message that a tool sent by itself, as it came. */
export interface CallBack {
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body's exact text. */
  text: string;
}

/** A connector: the code that speaks to one kind of tool. */
export interface Connector<Settings = unknown> {
  /** Its folder's name and the `connector` of a tool's configuration. */
  readonly id: string;
  readonly title: string;
  /** Settings without secrets, stored with the tool; its JSON Schema drives the form. */
  readonly settings: z.ZodType<Settings>;
  /** Names of the secret fields, each with a sentence for the form. */
  readonly secrets: Readonly<Record<string, string>>;
  /** What this connector implements, each with the permission it needs at the tool, and on what it works where that isn't all. */
  readonly capabilities: Readonly<Partial<Record<Capability, { permission: string; only?: string }>>>;
  /** `human`: no API at all; every act is a task with an owner, a deadline and evidence. */
  readonly kind: 'api' | 'human';
  /**
   * Where these settings send the secrets (`https://app.example.com`, `db.example.com:5432`). Kept with the sealed
   * secret when it is saved: whoever changes the host later must give the secret again.
   */
  destination?(settings: Settings): string;
  /**
   * Reads a tool's call-back (`POST /hooks/tools/<key>`) and answers the handle of the `in-progress` act that it says
   * is over. That is a hint to look at once and never a proof: the read-back alone proves. Throws `auth-broken` for a
   * message that isn't the tool's, `invalid` for one that can't be read.
   */
  readCallBack?(message: CallBack, secrets: Readonly<Record<string, string>>): string;
  open(connection: ToolConnection<Settings>): Promise<ToolSession>;
}
