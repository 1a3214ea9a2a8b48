/** How the report calls the networks and which look each has in every chart. */
import type { NetworkName } from '../../../models/index.js';
import { html, type Markup } from './markup.js';

const TITLES: Readonly<Record<NetworkName, string>> = {
  pyconvunet: 'PyConvU-Net',
  unet: 'U-Net',
  'unet++': 'UNet++',
  'attention-unet': 'Attention U-Net',
  'resnet34-unet': 'ResNet34-UNet',
  multiresunet: 'MultiResUNet',
  fcn8s: 'FCN8s',
};

const isNetwork = (name: string): name is NetworkName => Object.hasOwn(TITLES, name);

/** A network's name as the field writes it; any other name as it is. */
export const networkTitle = (name: string): string => (isNetwork(name) ? TITLES[name] : name);

/** The same where it must not break over two lines. */
export const networkLabel = (name: string): Markup => html`<span class="name">${networkTitle(name)}</span>`;

/** The index of a network's look in charts. */
export const networkStyle = (name: NetworkName): number => Object.keys(TITLES).indexOf(name);

/** A sentence of the document with the networks' names as the field writes them, no name broken over two lines. */
export const withTitles = (sentence: string): Markup =>
  html`${sentence.split(/([\w+-]+)/).map((word) => (isNetwork(word) ? networkLabel(word) : word))}`;
