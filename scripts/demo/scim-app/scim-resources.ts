import SCIMMY from 'scimmy';
import {
  NameTaken,
  type DirectoryStore,
  type StoredGroup,
  type StoredUser,
  type UserAttributes,
} from './directory-store.js';

/**
 * Ties SCIMMY's User and Group to a store. SCIMMY keeps its handlers per process, so they are declared once and get
 * the store of the app that was asked as their context.
 */
export function declareScimResources(): void {
  SCIMMY.Resources.declare(SCIMMY.Resources.User)
    .ingress(async ({ id }, user, store: DirectoryStore) => showUser(store, await saveUser(store, id, user)))
    .egress(({ id, filter }, store: DirectoryStore) => {
      if (id) return showUser(store, known(store.user(id)));
      const users = store.users().map((user) => showUser(store, user));
      return filter ? filter.match(users) : users;
    })
    .degress(async ({ id = '' }, store: DirectoryStore) => {
      if (!(await store.removeUser(id))) throw noSuchResource();
    });
  SCIMMY.Resources.declare(SCIMMY.Resources.Group)
    .ingress(async ({ id }, group, store: DirectoryStore) => showGroup(store, await saveGroup(store, id, group)))
    .egress(({ id, filter }, store: DirectoryStore) => {
      if (id) return showGroup(store, known(store.group(id)));
      const groups = store.groups().map((group) => showGroup(store, group));
      return filter ? filter.match(groups) : groups;
    })
    .degress(async ({ id = '' }, store: DirectoryStore) => {
      if (!(await store.removeGroup(id))) throw noSuchResource();
    });
}

/** The entity tag of a revision (RFC 7644, section 3.14); also `meta.version`. */
export function entityTag(resource: { revision: number }): string {
  return `W/"${resource.revision}"`;
}

function showUser(store: DirectoryStore, user: StoredUser) {
  return {
    ...metaOf(user),
    ...user.attributes,
    // SCIMMY's filters stumble over a user without the attribute.
    emails: user.attributes.emails ?? [],
    groups: store.groupsOf(user.id).map(({ id, displayName }) => ({ value: id, display: displayName })),
  };
}

function showGroup(store: DirectoryStore, group: StoredGroup) {
  return {
    ...metaOf(group),
    displayName: group.displayName,
    members: group.memberIds.map((id) => ({ value: id, display: store.user(id)?.attributes.userName })),
  };
}

function metaOf(resource: StoredUser | StoredGroup) {
  const { id, created, lastModified } = resource;
  return { id, meta: { created, lastModified, version: entityTag(resource) } };
}

async function saveUser(store: DirectoryStore, id: string | undefined, user: SCIMMY.Schemas.User): Promise<StoredUser> {
  if (id) known(store.user(id));
  const attributes = JSON.parse(
    JSON.stringify({
      userName: user.userName,
      externalId: user.externalId,
      displayName: user.displayName,
      name: user.name,
      emails: user.emails?.length ? user.emails : undefined,
      active: user.active ?? true,
    }),
  ) as UserAttributes;
  if (attributes.userName.length > MAX_NAME_LENGTH) throw tooLong('userName');
  return store.saveUser(id, attributes, user.password).catch(refuseTakenName);
}

async function saveGroup(
  store: DirectoryStore,
  id: string | undefined,
  group: SCIMMY.Schemas.Group,
): Promise<StoredGroup> {
  if (id) known(store.group(id));
  const memberIds = (group.members ?? []).flatMap(({ value }) => (value ? [value] : []));
  if (memberIds.some((memberId) => !store.user(memberId))) {
    throw new SCIMMY.Types.Error(400, 'invalidValue', 'A member is not a user of this directory');
  }
  return store.saveGroup(id, group.displayName, memberIds).catch(refuseTakenName);
}

const MAX_NAME_LENGTH = 254;

function known<T>(resource: T | undefined): T {
  if (!resource) throw noSuchResource();
  return resource;
}

function noSuchResource() {
  return new SCIMMY.Types.Error(404, '', 'Resource not found');
}

function tooLong(attribute: string) {
  return new SCIMMY.Types.Error(400, 'invalidValue', `${attribute} is longer than ${MAX_NAME_LENGTH} characters`);
}

function refuseTakenName(error: unknown): never {
  if (error instanceof NameTaken) throw new SCIMMY.Types.Error(409, 'uniqueness', error.message);
  throw error;
}
