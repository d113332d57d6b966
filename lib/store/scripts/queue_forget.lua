-- May a deleted queue be taken off the list of queues? When nothing of it is left to do.
--
-- Gives 1 when the queue is deleted, cleared, and its outbox empty, else 0
--
-- Reads only. The list is a key of another tag, so the caller takes the name off, and asks once
-- more: a queue of that name that was made in between goes on the list again. Whoever makes one
-- later puts it there after making it (store_put_queue).
if call('EXISTS', KEYS[1], key('settings_were')) == 0
	and string.sub(epoch_now(), 1, 8) == 'deleted:' and call('XLEN', key('outbox')) == 0 then
	return 1
end
return 0
