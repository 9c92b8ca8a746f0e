/** Files of a connection by TLS, in PEM. */
export interface RedisTls {
  /** Certificates of the authorities to trust, if not those of the system. */
  readonly ca?: string | undefined
  /** Certificate and key of this client, if the server asks for them. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

/** Address of a Redis server: `redis://`, `rediss://` for TLS, `unix:`; user and password stand before the host. */
export type RedisAddress = string | ({ readonly url: string } & RedisTls)
