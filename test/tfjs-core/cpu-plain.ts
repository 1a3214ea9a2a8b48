/** TensorFlow.js's cpu backend as it ships. */
import '@tensorflow/tfjs-backend-cpu';
