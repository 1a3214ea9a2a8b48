/** A phantom before it is drawn: brightness and truth for each position. */

export interface Scene {
  /** Brightness in 0..255 without noise, and whether the position belongs to the object. */
  readonly render: (u: number, v: number) => { value: number; foreground: boolean };
  /** Standard deviation of the pixel noise. */
  readonly noise: number;
}
