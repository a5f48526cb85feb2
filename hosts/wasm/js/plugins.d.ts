/** What the engine's module exports that its plugins need. */
export interface EngineExports {
  memory: WebAssembly.Memory;
  tcpkit_plugin_import(id: number, what: number, a: bigint, b: bigint): bigint;
  tcpkit_plugin_room(id: number, size: number): number;
}

/**
 * Plugins is the embedder of one engine's module: it makes instances of the plugins
 * that the engine has checked and rewritten, and calls them.
 */
export declare class Plugins {
  /** What the engine's module imports as tcpkit. */
  readonly imports: { plugin(id: number, hook: number, frame: number): bigint };
  /** attach tells of the exports of the engine's module, before it loads a plugin. */
  attach(exports: EngineExports): void;
  /** How many plugins run. */
  readonly running: number;
}
