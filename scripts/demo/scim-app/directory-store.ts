import { createHash, randomBytes, randomUUID, scrypt, timingSafeEqual } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What SCIM shows of a user (RFC 7643, section 4.1), as far as this app keeps it. */
export interface UserAttributes {
  userName: string;
  externalId?: string;
  displayName?: string;
  name?: { formatted?: string; givenName?: string; familyName?: string };
  emails?: { value: string; type?: string; primary?: boolean }[];
  active: boolean;
}

interface ResourceMeta {
  id: string;
  created: string;
  lastModified: string;
  /** Counts the changes; shown as a weak entity tag. */
  revision: number;
}

export interface StoredUser extends ResourceMeta {
  attributes: UserAttributes;
  /** `salt:hash` by scrypt, hex; null while no password was ever set. */
  password: string | null;
  /** Raised by each password change; a person's token from an earlier generation is dead. */
  credentialGeneration: number;
}

export interface StoredGroup extends ResourceMeta {
  displayName: string;
  memberIds: string[];
}

interface StoredToken {
  sha256: string;
  userId: string;
  credentialGeneration: number;
}

interface Directory {
  users: StoredUser[];
  groups: StoredGroup[];
  tokens: StoredToken[];
}

/** Somebody else has this `userName` or `displayName`: SCIM's 409 `uniqueness`. */
export class NameTaken extends Error {}

const scryptAsync = promisify(scrypt) as (password: string, salt: Buffer, length: number) => Promise<Buffer>;

/** The app's data in one JSON file, written whole and atomically before a change is answered. */
export class DirectoryStore {
  private writing: Promise<void> = Promise.resolve();

  private constructor(
    private readonly file: string,
    private readonly directory: Directory,
  ) {}

  /** Opens the store in a folder, which is made when it isn't there. */
  static async open(folder: string): Promise<DirectoryStore> {
    await mkdir(folder, { recursive: true });
    const file = join(folder, 'directory.json');
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '{"users":[],"groups":[],"tokens":[]}';
      throw error;
    });
    return new DirectoryStore(file, JSON.parse(text) as Directory);
  }

  users(): readonly StoredUser[] {
    return this.directory.users;
  }

  user(id: string): StoredUser | undefined {
    return this.directory.users.find((user) => user.id === id);
  }

  userNamed(userName: string): StoredUser | undefined {
    // RFC 7643, section 4.1.1: userName is unique and compared without regard to case.
    return this.directory.users.find((user) => user.attributes.userName.toLowerCase() === userName.toLowerCase());
  }

  groups(): readonly StoredGroup[] {
    return this.directory.groups;
  }

  group(id: string): StoredGroup | undefined {
    return this.directory.groups.find((group) => group.id === id);
  }

  groupsOf(userId: string): readonly StoredGroup[] {
    return this.directory.groups.filter((group) => group.memberIds.includes(userId));
  }

  /** Makes or changes a user; a password, when given, kills the tokens issued before. Throws `NameTaken`. */
  async saveUser(id: string | undefined, attributes: UserAttributes, password?: string): Promise<StoredUser> {
    const hash = password === undefined ? undefined : await hashPassword(password);
    const other = this.userNamed(attributes.userName);
    if (other && other.id !== id) throw new NameTaken(`userName is taken`);
    const user = (id && this.user(id)) || this.add(this.directory.users, { attributes, ...NO_PASSWORD });
    const unchanged = hash === undefined && JSON.stringify(user.attributes) === JSON.stringify(attributes);
    user.attributes = attributes;
    if (hash !== undefined) {
      user.password = hash;
      user.credentialGeneration += 1;
    }
    if (!unchanged) touch(user);
    await this.write();
    return user;
  }

  async removeUser(id: string): Promise<boolean> {
    const removed = remove(this.directory.users, id);
    for (const group of this.groupsOf(id)) {
      group.memberIds = group.memberIds.filter((memberId) => memberId !== id);
      touch(group);
    }
    this.directory.tokens = this.directory.tokens.filter((token) => token.userId !== id);
    await this.write();
    return removed;
  }

  /** Makes or changes a group. Throws `NameTaken`. */
  async saveGroup(id: string | undefined, displayName: string, memberIds: readonly string[]): Promise<StoredGroup> {
    const other = this.directory.groups.find((group) => group.displayName === displayName);
    if (other && other.id !== id) throw new NameTaken(`displayName is taken`);
    const group = (id && this.group(id)) || this.add(this.directory.groups, { displayName, memberIds: [] as string[] });
    group.displayName = displayName;
    group.memberIds = [...new Set(memberIds)];
    touch(group);
    await this.write();
    return group;
  }

  async removeGroup(id: string): Promise<boolean> {
    const removed = remove(this.directory.groups, id);
    await this.write();
    return removed;
  }

  /** Signs a person in: a bearer token, or null when the password is wrong or the user may not sign in. */
  async signIn(userName: string, password: string): Promise<string | null> {
    const user = this.userNamed(userName);
    const matches = await passwordMatches(user?.password ?? null, password);
    if (!user || !matches || !user.attributes.active) return null;
    const token = randomBytes(32).toString('base64url');
    const { id: userId, credentialGeneration } = user;
    this.directory.tokens.push({ sha256: sha256(token), userId, credentialGeneration });
    await this.write();
    return token;
  }

  /**
   * The person a token stands for, or null once they are suspended, removed, or changed their password after it was
   * issued. A suspension alone doesn't kill a token for ever: as in many a real tool, it works again for a user who
   * is merely switched on again.
   */
  holderOf(token: string): StoredUser | null {
    const issued = this.directory.tokens.find((candidate) => candidate.sha256 === sha256(token));
    const user = issued && this.user(issued.userId);
    if (!user?.attributes.active || user.credentialGeneration !== issued?.credentialGeneration) return null;
    return user;
  }

  private add<T extends object>(list: (T & ResourceMeta)[], resource: T): T & ResourceMeta {
    const now = new Date().toISOString();
    const added = { id: randomUUID(), created: now, lastModified: now, revision: 0, ...resource };
    list.push(added);
    return added;
  }

  private write(): Promise<void> {
    this.writing = this.writing
      .catch(() => undefined)
      .then(async () => {
        const temporary = `${this.file}.new`;
        const handle = await open(temporary, 'w', 0o600);
        await handle.writeFile(JSON.stringify(this.directory, null, 1));
        await handle.sync();
        await handle.close();
        await rename(temporary, this.file);
      });
    return this.writing;
  }
}

const NO_PASSWORD = { password: null as string | null, credentialGeneration: 0 };

function touch(resource: ResourceMeta): void {
  resource.lastModified = new Date().toISOString();
  resource.revision += 1;
}

function remove(list: { id: string }[], id: string): boolean {
  const index = list.findIndex((resource) => resource.id === id);
  if (index >= 0) list.splice(index, 1);
  return index >= 0;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  return `${salt.toString('hex')}:${(await scryptAsync(password, salt, 32)).toString('hex')}`;
}

async function passwordMatches(stored: string | null, password: string): Promise<boolean> {
  const [salt, hash] = (stored ?? '').split(':');
  if (!salt || !hash) return false;
  return timingSafeEqual(Buffer.from(hash, 'hex'), await scryptAsync(password, Buffer.from(salt, 'hex'), 32));
}
