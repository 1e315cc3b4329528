# Options are completed from what --help says, so they are never out of date; all else as files.
function __mq_options --argument-names program
    $program --help 2>/dev/null | string match --regex --all --groups-only -- '(?:^|[ ,\[])(--?[[:alnum:]][[:alnum:]-]*)'
end
for program in mqbroker mqsub mqpub
    complete --command $program --condition 'string match --quiet -- "-*" (commandline -ct)' \
        --arguments "(__mq_options $program)"
end
