import type { ReactNode } from 'react';
import { TextInput } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { endlessDevices, modelsQuery } from '../../api/queries.js';
import { Choice } from '../../parts/choice.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { MoreButton } from '../../parts/more-button.js';
import { PersonLink } from '../../parts/person-link.js';
import { Page } from '../../parts/section.js';
import { useTyped } from '../../parts/use-typed.js';
import { DEVICE_FILTERS } from '../../search-params.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';

const route = getRouteApi('/devices');

export function DevicesPage(): ReactNode {
  const filters = route.useSearch();
  const navigate = route.useNavigate();
  const [search, setSearch] = useTyped(
    filters.search ?? '',
    (typed) => void navigate({ search: (before) => ({ ...before, search: typed.trim() || undefined }), replace: true }),
  );
  const query = useInfiniteQuery(endlessDevices(filters));
  const { data: models } = useQuery(modelsQuery);
  return (
    <Page title={text.nav.devices}>
      <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <TextInput
          label={text.devices.search}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
          type="search"
          autoComplete="off"
        />
        <Choice
          label={text.devices.stateLabel}
          value={filters.state}
          values={DEVICE_FILTERS.state}
          words={text.devices.state}
          onChange={(state) => void navigate({ search: (before) => ({ ...before, state }), replace: true })}
        />
      </form>
      <Loaded query={query} lines={8}>
        {({ pages }) => {
          const devices = pages.flatMap(({ items }) => items);
          if (devices.length === 0) return <Empty>{text.devices.none}</Empty>;
          return (
            <table className="table">
              <thead>
                <tr>
                  <th scope="col">{text.devices.assetTag}</th>
                  <th scope="col">{text.devices.model}</th>
                  <th scope="col">{text.devices.holder}</th>
                  <th scope="col">{text.devices.stateLabel}</th>
                  <th scope="col">{text.devices.since}</th>
                </tr>
              </thead>
              <tbody>
                {devices.map(({ id, assetTag, modelId, holderId, state, stateChangedAt }) => (
                  <tr key={id}>
                    <th scope="row">
                      <Link to="/devices/$deviceId" params={{ deviceId: id }} data-row>
                        {assetTag}
                      </Link>
                    </th>
                    <td data-label={text.devices.model}>
                      {models?.items.find((model) => model.id === modelId)?.name ?? ''}
                    </td>
                    <td data-label={text.devices.holder}>
                      {holderId === null ? (
                        <span className="dim">{text.devices.nobody}</span>
                      ) : (
                        <PersonLink id={holderId} />
                      )}
                    </td>
                    <td data-label={text.devices.stateLabel}>{text.devices.state[state]}</td>
                    <td data-label={text.devices.since}>
                      <Instant at={stateChangedAt} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          );
        }}
      </Loaded>
      <MoreButton query={query} />
    </Page>
  );
}
