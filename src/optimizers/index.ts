export { Adam, type AdamOptions, adam } from './adam.js';
