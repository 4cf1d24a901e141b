SET SESSION sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES');
CREATE TABLE "net_l3vpn_Port" (
  "id" varchar(64) NOT NULL,
  "_project" varchar(64) NOT NULL,
  "name" varchar(64),
  "mac_address" varchar(18) NOT NULL,
  "admin_state_up" boolean NOT NULL,
  "status" varchar(32) NOT NULL,
  "vnic_type" varchar(32) NOT NULL,
  "mtu" bigint NOT NULL,
  "vlan_transparency" boolean NOT NULL,
  "profile" longtext,
  "device_id" varchar(64),
  "device_owner" varchar(128),
  "host_id" varchar(64),
  "vif_details" longtext,
  "vif_type" varchar(32),
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_net_l3vpn_Port_f32596933f" PRIMARY KEY ("id"),
  INDEX "ix_net_l3vpn_Port_025dcd715a" ("_project", "id")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE TABLE "net_l3vpn_Interface" (
  "id" varchar(64) NOT NULL,
  "_project" varchar(64) NOT NULL,
  "name" varchar(64),
  "port_id" varchar(64) NOT NULL,
  "segmentation_type" varchar(32) NOT NULL,
  "segmentation_id" bigint NOT NULL,
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_net_l3vpn_Interface_fce32c0487" PRIMARY KEY ("id"),
  INDEX "ix_net_l3vpn_Interface_5b9b386642" ("port_id"),
  INDEX "ix_net_l3vpn_Interface_3e7a93ad4a" ("_project", "id"),
  CONSTRAINT "fk_net_l3vpn_Interface_5b9b386642" FOREIGN KEY ("port_id") REFERENCES "net_l3vpn_Port" ("id")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE TABLE "net_l3vpn_VpnService" (
  "id" varchar(64) NOT NULL,
  "_project" varchar(64) NOT NULL,
  "name" varchar(64),
  "description" mediumtext,
  "ipv4_family" mediumtext,
  "ipv6_family" mediumtext,
  "route_distinguishers" varchar(32),
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_net_l3vpn_VpnService_e88a466465" PRIMARY KEY ("id"),
  INDEX "ix_net_l3vpn_VpnService_b733de9f6a" ("_project", "id")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE TABLE "net_l3vpn_VpnBinding" (
  "_project" varchar(64) NOT NULL,
  "interface_id" varchar(64) NOT NULL,
  "service_id" varchar(64) NOT NULL,
  "ipaddress" varchar(16),
  "subnet_prefix" bigint,
  "gateway" varchar(16),
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_net_l3vpn_VpnBinding_2e766733d6" PRIMARY KEY ("interface_id"),
  INDEX "ix_net_l3vpn_VpnBinding_7d7e019615" ("service_id"),
  INDEX "ix_net_l3vpn_VpnBinding_9c3a472147" ("_project", "interface_id"),
  CONSTRAINT "fk_net_l3vpn_VpnBinding_69f737648c" FOREIGN KEY ("interface_id") REFERENCES "net_l3vpn_Interface" ("id"),
  CONSTRAINT "fk_net_l3vpn_VpnBinding_7d7e019615" FOREIGN KEY ("service_id") REFERENCES "net_l3vpn_VpnService" ("id")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE TABLE "net_l3vpn_VpnAfConfig" (
  "_project" varchar(64) NOT NULL,
  "vrf_rt_value" varchar(32) NOT NULL,
  "vrf_rt_type" varchar(32) NOT NULL,
  "import_route_policy" varchar(32),
  "export_route_policy" varchar(32),
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_net_l3vpn_VpnAfConfig_686d715580" PRIMARY KEY ("vrf_rt_value"),
  INDEX "ix_net_l3vpn_VpnAfConfig_ca7cab592c" ("_project", "vrf_rt_value")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE TABLE "net_l3vpn_BGPPeering" (
  "id" varchar(64) NOT NULL,
  "_project" varchar(64) NOT NULL,
  "name" varchar(64),
  "local_ip_address" varchar(16) NOT NULL,
  "peer_ip_address" varchar(16) NOT NULL,
  "as_number" bigint NOT NULL,
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_net_l3vpn_BGPPeering_eaaca49ec4" PRIMARY KEY ("id"),
  INDEX "ix_net_l3vpn_BGPPeering_376bf18952" ("_project", "id")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE TABLE "net_l3vpn_DataplaneTunnel" (
  "id" varchar(64) NOT NULL,
  "_project" varchar(64) NOT NULL,
  "name" varchar(64),
  "local_tunnel_endpoint" varchar(16) NOT NULL,
  "remote_tunnel_endpoint" varchar(16) NOT NULL,
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_net_l3vpn_DataplaneTunnel_dd80c8a298" PRIMARY KEY ("id"),
  INDEX "ix_net_l3vpn_DataplaneTunnel_16dab56dc3" ("_project", "id")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
