/** The methods of `VideoService`. */
import type { UntypedServiceImplementation } from '@grpc/grpc-js';

import { findAsset } from '../../api/assets/find.js';
import { getAsset } from '../../api/assets/get-asset.js';
import { resourceOf } from '../../api/assets/resource.js';
import { conditionOf } from '../../api/assets/revision.js';
import { watchAsset } from '../../api/assets/watch-asset.js';
import type { ApiContext } from '../../api/context.js';
import { deleteAsset } from '../../api/lifecycle/delete-asset.js';
import type { Door } from './calls.js';
import { listVideos } from './list.js';
import type {
  DeleteVideoRequest,
  DeleteVideoResponse,
  GetVideoRequest,
  ListVideosRequest,
  ListVideosResponse,
  UploadVideoRequest,
  UploadVideoResponse,
  Video,
  WatchVideoRequest,
  WatchVideoResponse,
} from './messages.js';
import { receiveVideo } from './upload.js';
import { progressOf, videoOf } from './video.js';

export function videoMethods(ctx: ApiContext, door: Door): UntypedServiceImplementation {
  return {
    UploadVideo: door.clientStream<UploadVideoRequest, UploadVideoResponse>('write', async (requests, call) => {
      const { uploadId, assetId } = await receiveVideo(ctx, requests, call);
      const row = await findAsset(ctx, call.caller, assetId);
      return { video: videoOf(resourceOf(row, ctx.config), row.revision), uploadId };
    }),

    GetVideo: door.unary<GetVideoRequest, Video>('read', async ({ id }, { caller }) => {
      const { asset, revision } = await getAsset(ctx, caller, id);
      return videoOf(asset, revision);
    }),

    ListVideos: door.unary<ListVideosRequest, ListVideosResponse>('read', (request, { caller }) =>
      listVideos(ctx, caller, request),
    ),

    DeleteVideo: door.unary<DeleteVideoRequest, DeleteVideoResponse>('write', async ({ id, etag }, { caller }) => {
      await deleteAsset(ctx, caller, id, conditionOf(etag === '' ? undefined : etag));
      return {};
    }),

    WatchVideo: door.serverStream<WatchVideoRequest, WatchVideoResponse>('read', async ({ id }, send, call) => {
      const { caller, signal } = call;
      for await (const { asset, revision } of watchAsset(ctx, caller, id, signal)) {
        await send({ video: videoOf(asset, revision), progress: asset.progress && progressOf(asset.progress) });
      }
      signal.throwIfAborted();
    }),
  };
}
